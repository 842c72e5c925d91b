"""
Connecting practices to XPM: consent, tokens, and what the journal is told of both.

    application   what Xero knows us as, and the pure part of the flow: state, PKCE, addresses
    identity      Xero's token service
    keyring       encryption at rest
    store         the rows
    journey       authorize, callback, choose, disconnect
    keys          the tokens of calls: renewed under a lock by whoever needs it first
    given         connections that the environment gives
    telling       ConnectionChanged, published until it is acknowledged
    ending        revocation at Xero, tried until it is done
"""
