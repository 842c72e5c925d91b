"""The words that made-up practices are made of, all invented: nobody real is meant."""

GIVEN_NAMES = (
    ("Female", "Adaeze"), ("Female", "Beatrix"), ("Female", "Chloé"), ("Female", "Delphine"),
    ("Female", "Fenna"), ("Female", "Gráinne"), ("Female", "Hinewai"), ("Female", "Ingrid"),
    ("Female", "Jacinta"), ("Female", "Lakshmi"), ("Female", "Mei-Lin"), ("Female", "Noémie"),
    ("Female", "Philippa"), ("Female", "Saoirse"), ("Female", "Zoë"), ("Male", "Anselm"), ("Male", "Björn"),
    ("Male", "Caleb"), ("Male", "Dmitri"), ("Male", "Eamon"), ("Male", "François"), ("Male", "Gethin"),
    ("Male", "Hōhepa"), ("Male", "Iñigo"), ("Male", "Jude"), ("Male", "Łukasz"), ("Male", "Małek"),
    ("Male", "Niall"), ("Male", "Óscar"), ("Male", "Taavi"),
)  # fmt: skip

FAMILY_NAMES = (
    "Abernethy", "Ångström", "Bellweather", "Castellan", "D'Arcangelo", "de la Cruz-Hart", "Ejiofor",
    "Fairbrother", "Gallowglass", "Hōne", "Ilves", "Jørgensen", "Kowalczyk", "Lindqvist", "MacAllister",
    "Nguyễn", "O'Malley-Reid", "Pemberton", "Quartermaine", "Rasmussen", "Sørlie", "Tāwhiri", "Underhill",
    "van der Berg", "Wrenfield", "Şimşek", "Zdravković",
)  # fmt: skip

TRADES = (
    "Joinery", "Plumbing & Gas", "Bakery", "Orchards", "Freight", "Marine", "Physiotherapy", "Landscapes",
    "Electrical", "Earthworks", "Veterinary", "Design & Print", "Consulting", "Vineyards", "Tiling", "Motors",
)  # fmt: skip

FANCIES = (
    "Bluegum", "Copper Kettle", "Driftwood", "Ember", "Ferntree", "Glasshouse", "Highwater", "Ironbark",
    "Kestrel", "Lantern", "Magpie", "Northlight", 'The "Good" Egg', "Old Mill", "Pardalote", "Quay St",
    "Saltgrass", "Tern",
)  # fmt: skip

STREETS = (
    "Kestrel Street",
    "Old Ferry Road",
    "Wattle Parade",
    "Quarry Lane",
    "St John's Terrace",
    "Ånge Crescent",
)

PLACES = (
    ("Fernleigh", "NSW", "2999", "Australia"),
    ("Port Havelock", "Victoria", "3998", "Australia"),
    ("Mount Tern", "QLD", "4997", "Australia"),
    ("Kōwhai Bay", "Otago", "9899", "New Zealand"),
)

JUNK_EMAILS = ("n/a", "see file", "no email - ring first", "jo at bluegum dot example", "@")
JUNK_PHONES = ("asdasdsad", "call the office", "0")

OTHER_TIES = ("Silent Partner", "Guarantor", "Nominee", "Godparent", "Key contact?", "Power of Attorney")
"""Words outside the published list, which practices and integrations have been seen to add."""
