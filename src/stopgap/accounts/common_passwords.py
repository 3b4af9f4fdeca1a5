"""Words that many people make their passwords of."""

import re
import unicodedata

SEPARATORS = str.maketrans("", "", " -_.,!?*+#@$&/")
VARIETY = 4
"""Fewer different characters than this are no password, however long."""

WORDS = frozenset("""
    1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 3edc 4rfv aaa abc abc123 abcd abcde abcdef abcdefg
    abcdefgh abcdefghi abcdefghij abcdefghijkl abcdefghijklmnop abcdefghijklmnopqrstuvwxyz
    account admin administrator alexander alive amanda america andrea andrew angel anna apple
    april asdf asdfgh asdfghjkl ashley august austin azerty azertyuiop baby bailey banana
    barbara baseball basketball batman battery beautiful bitte blink182 bonjour boston
    butterfly changeit changeme charlie cheese chelsea chocolate client computer cookie
    correct corvette cowboy crystal daniel database december default demo diamond dragon dutch
    elephant everton facebook family february flower football forever france freedom friday
    friend friends gateway geheim george ginger god google guest gwerty hallo hannah hard
    harley heaven hello hello123 helloworld heslo hockey home horse hunter hunter2 iloveu
    iloveyou internet ipsum is january jasmine jennifer jessica jesus jordan joshua july june
    justin keyboard killer king lakers letmein liverpool login london lorem love lovely loveme
    madcompany maggie manager march marina master matrix matthew merlin michael michelle
    mickey miller mindfree monday monkey morgan motdepasse mother mustang my myspace naruto
    nicole ninja november october office opensesame orange orhan pass passe passer passport
    passw0rd password password1 passwort pepper phoenix please pokemon porsche portal
    prediction prince princess private purple qazwsx qazwsxedc qwe qwer qwert qwerty qwerty123
    qwertyui qwertyuiop qwertz qwertzuiop rachel rainbow ranger richard robert root samantha
    samsung sarah saturday schalke secret secreto security senha september server service
    shadow silver snoopy soccer sommer spiderman staple starwars stopgap summer sunday
    sunshine super superman swordfish taylor test test123 tester testing the this thisis
    thomas thursday tigger toor trustno1 tuesday user username victoria wachtwoord wednesday
    welcome welcome1 welkom whatever wilkommen william willkommen windows winter yankees
    yellow you your zaq12wsx zaq1zaq1 zxcv zxcvbn zxcvbnm
    """.split())  # noqa: SIM905  # a word a line would be six screens

COUNTING = "1234567890" * 104
"""Numbers that people make up by counting are pieces of this, forwards or backwards."""


def is_common(password: str, name: str) -> bool:
    """Tell whether a password is nothing but common words, numbers and its account's name.

    It is compared without capitals and separators. A rule finds what no list holds:
    `Password-2026-Password`.
    """
    bare = _bare(password)
    if len(set(bare)) < VARIETY or bare in COUNTING or bare in COUNTING[::-1]:
        return True
    if bare.isdigit():
        return False
    return _is_made_of(bare, WORDS | {_bare(part) for part in (name, *re.split(r"\W+", name))})


def _is_made_of(bare: str, words: frozenset[str]) -> bool:
    """Tell whether a text is words and digits from end to end."""
    longest = max(map(len, words))
    reached = [True] + [False] * len(bare)  # reached[n]: the first n characters are
    for end, character in enumerate(bare, start=1):
        starts = range(max(0, end - longest), end)
        reached[end] = (character.isdigit() and reached[end - 1]) or any(
            reached[start] and bare[start:end] in words for start in starts
        )
    return reached[-1]


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(SEPARATORS)
