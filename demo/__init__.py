"""A made-up Party office: what both source systems and the test PKI would hold, from one seed."""
