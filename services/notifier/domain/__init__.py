"""The fold of requests and outcomes into rows of integration progress; nothing but functions of facts."""
