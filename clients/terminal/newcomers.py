"""People who might sign up: made up, but as varied as real ones."""

import unicodedata
from dataclasses import dataclass
from random import Random

GIVEN = (
    "Aiko", "Amélie", "Anders", "Ayşe", "Bjørn", "Chidi", "Chloé", "Daan", "Dmitri", "Élodie", "Fatima", "Gabriela",
    "Hassan", "Ines", "Ivana", "Jamal", "Jürgen", "Kwame", "Leila", "Lucía", "Magnus", "Mei", "Minh", "Naomi", "Nia",
    "Ólafur", "Oluwaseun", "Omar", "Paweł", "Priya", "Rajesh", "Renée", "Sanna", "Siobhán", "Søren", "Tomáš", "Uma",
    "Valentina", "Wanjiru", "Xavier", "Yusuf", "Zainab", "Zoë", "美咲", "伟", "Анна",
)  # fmt: skip
FAMILY = (
    "Abebe", "Ahmed", "Andersson", "Băsescu", "Bianchi", "Castillo", "Chen", "Da Silva", "Dubois", "Eriksen", "Fofanah",
    "García", "Grünwald", "Haddad", "Hernández", "Ito", "Jónsdóttir", "Kaya", "Kim", "Kowalczyk", "Lindqvist", "Mbeki",
    "McAllister", "Müller", "Nakamura", "Nguyễn", "Novák", "O'Brien", "Okafor", "Patel", "Petrov", "Quispe", "Rossi",
    "Şahin", "Singh", "Sørensen", "Tanaka", "Van den Berg", "Wójcik", "Yamamoto", "Zimmermann", "佐藤", "王", "Иванова",
)  # fmt: skip
HOSTS = ("mail.test", "post.test", "example.org", "example.net", "uni.example.edu")
WITH_EMAIL, WITH_PHONE, WITH_FULL_NAME = 0.9, 0.4, 0.85


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody types into a sign-up form; an empty field is left out."""

    username: str
    password: str
    full_name: str = ""
    email: str = ""
    phone: str = ""

    def as_body(self) -> dict[str, str]:
        """Return it as the sign-up wants it."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


def newcomer(random: Random) -> Newcomer:
    """Make somebody up. Most, but not all, give a full name and an e-mail address; some give a phone number."""
    given, family = random.choice(GIVEN), random.choice(FAMILY)
    handle = ".".join(filter(None, (_ascii(given), _ascii(family)))) or "guest"
    number = random.randrange(100_000)
    username = random.choice((f"{handle}{number}", f"{handle.replace('.', '_')}-{number}", f"{handle}.{number}"))
    return Newcomer(
        username=username,
        password=f"{random.getrandbits(80):020x}-Aa",
        full_name=f"{given} {family}" if random.random() < WITH_FULL_NAME else "",
        email=f"{username}@{random.choice(HOSTS)}" if random.random() < WITH_EMAIL else "",
        phone=f"+{random.randrange(1, 99)} 555 {random.randrange(10**6):06}" if random.random() < WITH_PHONE else "",
    )


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(c for c in plain.lower() if c.isalnum())
