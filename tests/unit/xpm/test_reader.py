"""What becomes of the shapes that XPM has been seen, or is said, to print."""

import pytest

from services.importer.xpm.elements import Limits
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.reader import ClientReader, Refused
from services.importer.xpm.records import Client, Details, Relationship, Remark

CLIENT_ID = "1d44f4b8-094f-4b91-a73e-b00b83593f71"
PARTY_ID = "7b57ae35-244b-4ded-b237-b3ea8a222dd2"
TIE_ID = "0f9a2c57-3a51-4cb0-9a4f-3f6a8f0d1c22"


def read(document: str | bytes, limits: Limits = Limits(), step: int = 10**9) -> list[Client]:  # noqa: B008 - frozen
    data = document.encode() if isinstance(document, str) else document
    reader = ClientReader(limits)
    clients = [
        client for start in range(0, len(data), step) for client in reader.feed(data[start : start + step])
    ]
    return clients + reader.close()


def answer(*records: str, method: str = "Get") -> str:
    return f'<Response api-method="{method}"><Status>OK</Status>{"".join(records)}</Response>'


def record(*fields: str, uuid: str = CLIENT_ID) -> str:
    return f"<Client><UUID>{uuid}</UUID>{''.join(fields)}</Client>"


def one(*fields: str) -> Client:
    (client,) = read(answer(record(*fields)))
    return client


def tie(*more: str, word: str = "Shareholder", party: str = PARTY_ID) -> str:
    related = f"<RelatedClient><UUID>{party}</UUID><Name>Bloggs &amp; Sons</Name></RelatedClient>"
    content = f"<UUID>{TIE_ID}</UUID><Type>{word}</Type>{related}{''.join(more)}"
    return f"<Relationships><Relationship>{content}</Relationship></Relationships>"


class TestAClient:
    def test_a_full_record_is_read_field_by_field(self):
        """Each element ends up under the name that the events use."""
        client = one(
            "<Name>Bloggs, Jo</Name><Title>Ms</Title><Gender>Female</Gender><FirstName>Joanna</FirstName>",
            "<Email>jo@bloggs.example</Email><DateOfBirth>1970-11-26T00:00:00</DateOfBirth>",
            "<Address>1 Quay St</Address><City>Fernleigh</City><Region>NSW</Region><PostCode>2999</PostCode>",
            "<Country>Australia</Country><PostalAddress>PO Box 1</PostalAddress><PostalCity>Tern</PostalCity>",
            "<Phone>(02) 5550 0101</Phone><Website>bloggs.example</Website><IsArchived>Yes</IsArchived>",
            "<IsDeleted>No</IsDeleted><BusinessStructure>Individual</BusinessStructure>",
            "<CompanyNumber>600123456</CompanyNumber><BusinessNumber>51824753556</BusinessNumber>",
        )

        assert (
            Client(
                xpm_client_id=CLIENT_ID,
                details=Details(
                    name="Bloggs, Jo",
                    title="Ms",
                    email="jo@bloggs.example",
                    phone="(02) 5550 0101",
                    date_of_birth="1970-11-26",
                    address="1 Quay St\nFernleigh NSW 2999\nAustralia",
                    gender="Female",
                    postal_address="PO Box 1\nTern",
                    website="bloggs.example",
                    business_structure="Individual",
                    company_number="600123456",
                    business_number="51824753556",
                ),
                archived=True,
            )
            == client
        )

    def test_absent_and_empty_are_the_same(self):
        """A client made through the API has a name and nothing else; another prints everything empty."""
        empty = "".join(
            f"<{name}></{name}>" for name in ("Email", "Address", "Phone", "DateOfBirth", "IsArchived")
        )

        assert one("<Name>Jo</Name>") == one(
            "<Name>Jo</Name>", empty, "<Contacts /><Notes /><Relationships />"
        )

    def test_a_later_empty_element_takes_nothing_away(self):
        """The docs print a date of birth and, later on, an empty one."""
        client = one("<DateOfBirth>1970-11-26</DateOfBirth>", "<DateOfBirth></DateOfBirth><DateOfBirth />")

        assert client.details.date_of_birth == "1970-11-26"

    def test_an_earlier_empty_element_hides_nothing(self):
        """The docs print a tax number after an empty one."""
        assert one("<CompanyNumber /><CompanyNumber>7</CompanyNumber>").details.company_number == "7"

    def test_names_and_ids_of_other_things_are_not_the_clients(self):
        """Managers, billing terms, groups and contacts have names and ids of their own."""
        manager = "<AccountManager><UUID>x</UUID><Name>Nell</Name></AccountManager>"
        group = "<Groups><Group><UUID>y</UUID><Name>Bloggs Family</Name></Group></Groups>"
        contact = (
            "<Contacts><Contact><UUID>z</UUID><Name>Some guy</Name><Phone>1</Phone></Contact></Contacts>"
        )
        terms = "<Type><Name>Monthly</Name></Type>"

        assert Client(xpm_client_id=CLIENT_ID, details=Details()) == one(manager, terms, contact, group)

    def test_an_unreadable_value_is_none_with_a_remark(self):
        """A date nobody understands is left out, and the remark does not quote it."""
        client = one("<DateOfBirth>last spring</DateOfBirth><IsArchived>Perhaps</IsArchived>")

        assert client.details.date_of_birth is None
        assert not client.archived
        assert {Remark(element=name, kind="unreadable") for name in ("DateOfBirth", "IsArchived")} == set(
            client.remarks
        )

    def test_what_is_too_long_is_shortened_with_a_remark(self):
        """Names keep 300 characters, addresses 1,000, short texts 100."""
        client = one(f"<Name>{'ő' * 301}</Name><Address>{'x' * 5_000}</Address><Phone>{'1' * 101}</Phone>")

        assert tuple(
            len(text) for text in (client.details.name, client.details.address, client.details.phone)
        ) == (300, 1_000, 100)
        assert {Remark(element=name, kind="shortened") for name in ("Name", "Address", "Phone")} == set(
            client.remarks
        )

    def test_version_3_0_has_numbers_and_the_uuid_last(self):
        """Both are kept; where there is only a number, that is the id."""
        numbered = "<ID>32014284</ID><Name>Jo</Name>"
        both, one_only = read(
            answer("<Clients>", record(numbered), f"<Client>{numbered}</Client>", "</Clients>")
        )

        assert (both.xpm_client_id, both.number) == (CLIENT_ID, "32014284")
        assert (one_only.xpm_client_id, one_only.number) == ("32014284", None)

    def test_a_client_without_an_id_is_invalid(self):
        """There would be nothing to hang it on."""
        with pytest.raises(SourceInvalid):
            read(answer("<Client><Name>Jo</Name></Client>"))


class TestEmail:
    def contact(self, email="", primary="No", deleted=""):
        flags = f"<IsPrimary>{primary}</IsPrimary><IsDeleted>{deleted}</IsDeleted>"
        return f"<Contact><UUID>z</UUID><Name>Jo</Name><Email>{email}</Email>{flags}</Contact>"

    def email(self, *contacts, own=""):
        return one(f"<Email>{own}</Email><Contacts>{''.join(contacts)}</Contacts>").details.email

    def test_the_clients_own_field_comes_first(self):
        """Whatever contacts say."""
        assert self.email(self.contact("jo@x.example", "Yes"), own="own@x.example") == "own@x.example"

    @pytest.mark.parametrize("junk", ["n/a", "see file", "0"])
    def test_an_own_field_without_any_address_gives_way(self, junk):
        """The first that looks like an address is wanted, and this looks like none."""
        assert self.email(self.contact("jo@x.example"), own=junk) == "jo@x.example"

    def test_a_contact_with_junk_for_an_address_has_none(self):
        """Nor does it hide the address of another."""
        assert self.email(self.contact("n/a", "Yes"), self.contact("o@x.example")) == "o@x.example"

    def test_the_same_address_at_two_contacts_is_one(self):
        """Some guy and some guy are often both there."""
        assert self.email(self.contact("a@x.example"), self.contact("A@x.example")) == "a@x.example"

    def test_an_own_field_with_several_addresses_is_no_reason_to_look_further(self):
        """Somebody meant something by it: which of them is for a person to say."""
        contacts = f"<Contacts>{self.contact('jo@x.example', 'Yes')}</Contacts>"

        assert one("<Email>a@x.example; b@x.example</Email>", contacts).details.email is None

    def test_then_the_primary_contacts(self):
        """Even beside other contacts with addresses."""
        assert self.email(self.contact("o@x.example"), self.contact("p@x.example", "Yes")) == "p@x.example"

    def test_then_the_only_contacts_that_has_one(self):
        """Contacts without an address do not make it a choice; nor do deleted ones."""
        gone = self.contact("gone@x.example", "Yes", deleted="Yes")

        assert self.email(self.contact(), self.contact("o@x.example"), gone) == "o@x.example"

    @pytest.mark.parametrize("primary", ["Yes", "No"])
    def test_of_several_none_is_taken(self, primary):
        """Two primary contacts or two others: either would be a guess."""
        assert self.email(self.contact("a@x.example", primary), self.contact("b@x.example", primary)) is None


class TestRelationships:
    def test_a_full_relationship_is_read_in_xpms_own_words(self):
        """As the docs print it: 0 percent is what does not apply."""
        more = "<NumberOfShares>1000</NumberOfShares><Percentage>0</Percentage>"
        client = one(
            tie(more, "<StartDate>2011-01-01</StartDate><EndDate>20130331</EndDate>", word=" shareholder OF ")
        )

        assert (
            Relationship(
                xpm_relationship_id=TIE_ID,
                type="shareholder OF",
                xpm_party_id=PARTY_ID,
                party_name="Bloggs & Sons",
                start_date="2011-01-01",
                end_date="2013-03-31",
                number_of_shares=1000,
            ),
        ) == client.relationships

    @pytest.mark.parametrize(
        "more", ["", "<NumberOfShares /><Percentage /><StartDate></StartDate><EndDate />"]
    )
    def test_the_last_four_may_be_absent_or_empty(self, more):
        """Most relationships have none of them."""
        (found,) = one(tie(more)).relationships

        assert (found.number_of_shares, found.percentage, found.start_date, found.end_date) == (None,) * 4

    @pytest.mark.parametrize("broken", [tie(party=""), tie(party="../x"), tie(word=" ")])
    def test_a_relationship_without_party_or_word_is_counted(self, broken):
        """It cannot be staged, and must not vanish without a trace."""
        client = one(broken, tie())

        assert (len(client.relationships), client.unreadable_relationships) == (1, 1)

    def test_version_3_0_has_numbers_here_too(self):
        """Of the relationship and of the party."""
        related = "<RelatedClient><ID>7</ID><Name>Jo</Name></RelatedClient>"
        row = f"<Relationship><ID>9</ID><Type>Director</Type>{related}</Relationship>"
        (found,) = one(f"<Relationships>{row}</Relationships>").relationships

        assert (found.xpm_relationship_id, found.xpm_party_id, found.party_name) == ("9", "7", "Jo")

    def test_none_one_and_several_are_all_lists(self):
        """Also spread over two collections."""
        assert [len(one(*ties).relationships) for ties in ((), (tie(),), (tie(), tie()))] == [0, 1, 2]

    def test_they_are_read_of_those_that_are_asked_for(self):
        """A list is long, and of most of its clients nobody wants to know more than their details."""
        document = answer("<Clients>", record(tie()), record(tie(), uuid=PARTY_ID), "</Clients>").encode()
        reader = ClientReader(tied={PARTY_ID})
        clients = reader.feed(document) + reader.close()

        assert [len(client.relationships) for client in clients] == [0, 1]

    @pytest.mark.parametrize(("marks", "read_again"), [("", 0), ("<IsArchived>Yes</IsArchived>", 1)])
    def test_who_is_known_is_passed_over_unless_archived_or_deleted(self, marks, read_again):
        """A second list of a practice is read for its marks; whoever is new in it is read as ever."""
        others = record("<IsDeleted>No</IsDeleted>", uuid=PARTY_ID), record("<Name>A</Name>", uuid=TIE_ID)
        document = answer("<Clients>", record(marks), *others, "</Clients>").encode()
        reader = ClientReader(known={CLIENT_ID, PARTY_ID})
        clients = reader.feed(document) + reader.close()

        assert [client.archived for client in clients] == [True] * read_again + [False]
        assert clients[-1].details.name == "A"


class TestAnAnswer:
    def test_clients_come_as_soon_as_they_are_complete(self):
        """A list is not held back until its end."""
        reader = ClientReader()
        start = "<Response><Status>OK</Status><Clients>" + record("<Name>A</Name>") + "<Client><UUID>"

        assert [client.details.name for client in reader.feed(start.encode())] == ["A"]

    @pytest.mark.parametrize("step", [1, 7, 64])
    def test_pieces_may_end_anywhere(self, step):
        """Within a tag, a character of several bytes, an entity."""
        document = answer("<Clients>", record("<Name>Zoë &amp; &#x141;ukasz</Name>", tie()), "</Clients>")

        assert read(document) == read(document, step=step)

    def test_comments_cdata_and_indentation_change_nothing(self):
        """The recordings have none of them; a proxy may."""
        pretty = "<Name>J<!-- x -->o <![CDATA[& Co]]></Name>\n  "

        assert one(pretty).details.name == "Jo & Co"

    def test_a_refusal_is_told_from_an_answer(self):
        """ERROR comes with HTTP 200."""
        with pytest.raises(Refused):
            read("<Response><Status>ERROR</Status><ErrorDescription>Invalid id</ErrorDescription></Response>")

    @pytest.mark.parametrize(
        "document",
        [
            "",
            " ",
            "<Response><Status>OK</Status>",
            "<Response><Status>OK</Status><Client></Response>",
            "<Response></Response>",
            "<Response><Status>MAYBE</Status></Response>",
            "<html><body>Sign in</body></html>",
            '{"Status": 500}',
            "[]",
            "oops",
            b"\x00\x01",
            answer(record("<Name>caf\xe9</Name>")).encode("latin-1"),
            answer("<Client><UUID>&undeclared;</UUID></Client>"),
            answer(record("<Name>\x01</Name>")),
            answer("<a>" * 300 + "</a>" * 300),
        ],
    )
    def test_what_is_no_answer_is_invalid(self, document):
        """Nothing that is not XPM's XML gets past the reader, and nothing else comes out of it."""
        with pytest.raises(SourceInvalid):
            read(document)

    @pytest.mark.parametrize(
        "prolog",
        [
            "<!DOCTYPE Response>",
            '<!DOCTYPE Response SYSTEM "http://127.0.0.1:9/x.dtd">',
            '<!DOCTYPE Response [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
            '<!DOCTYPE Response [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_doctype_is_refused_in_any_encoding(self, prolog, encoding):
        """Entities are neither expanded nor fetched, because none is ever declared."""
        with pytest.raises(SourceInvalid, match="DOCTYPE"):
            read((prolog + answer(record("<Name>Jo</Name>"))).encode(encoding))

    def test_so_is_one_within_the_root(self):
        """Where the root comes first, no other parser has looked for it."""
        with pytest.raises(SourceInvalid):
            read(answer('<!DOCTYPE Response [<!ENTITY a "boom">]>', record("<Name>&a;</Name>")))

    def test_a_record_has_a_limit(self):
        """Its bytes are bounded, whatever the size of the document, and whether they are wanted or not."""
        for long in (record(f"<Name>{'x' * 2_000}</Name>"), record("<Notes>" + "<a/>" * 500 + "</Notes>")):
            with pytest.raises(SourceInvalid, match="more than 1000 bytes"):
                read(answer("<Clients>", record(), long, "</Clients>"), Limits(bytes=1_000), step=64)

    def test_so_have_its_elements(self):
        """A small record can be made of very many, each of which takes memory of its own."""
        many = answer(record("<Notes>" + "<a/>" * 300_000 + "</Notes>"))

        with pytest.raises(SourceInvalid, match="more than 250000 elements"):
            read(many, step=65_536)

    def test_what_never_belongs_to_a_record_has_the_same_limit(self):
        """Blanks without end between two of them, or a prologue of comments."""
        for document in (answer(record(), " " * 5_000), f"<!--{'x' * 5_000}-->" + answer(record())):
            with pytest.raises(SourceInvalid, match="more than 1000 bytes"):
                read(document, Limits(bytes=1_000), step=64)

    def test_what_is_not_wanted_is_passed_over(self):
        """Notes may be long and personal: nothing of them is taken."""
        notes = "<Notes><Note><Title>Name</Title><Text>" + "long " * 100 + "</Text></Note></Notes>"

        assert one(notes) == Client(xpm_client_id=CLIENT_ID, details=Details())

    def test_the_limit_is_for_each_record(self):
        """A list of many small ones is no large one."""
        small = [record(f"<Name>{number}</Name>") for number in range(50)]
        document = answer("<Clients>", *small, "</Clients>")

        assert len(read(document, Limits(bytes=300), step=64)) == 50
