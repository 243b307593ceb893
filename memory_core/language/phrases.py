"""A question as a skeleton: what it names taken out and numbered, synonyms merged.

"Which lamp did you come across first, the red one or the desk lamp?" and "what was spotted
earlier" differ in words and agree in structure. Here the words of one family (seeing, moving,
vanishing, being near ...) become one word, and the phrases that name things and rooms become
`T1`, `T2`, `R1` and so on; `intents` reads what is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memory_core.language.compounds import COLLECTIONS, joined, loosened
from memory_core.language.lexicon import singular, words_of
from memory_core.language.rooms import room_word

_CONTRACTIONS = (
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\b(could|would|do|does|did|is|are|was|were|has|have|had|should)n't\b", r"\1 not"),
    (r"\b(what|where|who|when|how|that|there|it|he|she)'s\b", r"\1 is"),
    (r"\b(what|where|who|how|that|they|you|we)'(?:re)\b", r"\1 are"),
    (r"\bi'm\b", "i am"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(i|you|we|they|it|what|where)'d\b", r"\1 did"),
    (r"\b(i|you|we|they)'ll\b", r"\1 will"),
    (r"\bwhere abouts?\b", "whereabouts"),
    (r",? ?\b(?:i mean|that is to say|to be precise|if you will)\b,?", " "),
    (r"\bwhereabouts (?=is|are|was|were|did|do|does|can|could|have|has|in)", "where "),
    (r"\bs?'(?=\s|$)", "s 's"),
)

_EXPRESSIONS = tuple(
    (re.compile(rf"\b(?:{words})\b"), f" {meant} ")
    for meant, words in (
        (
            "see",
            r"(?:come|came|coming|stumbled?|run|ran) (?:across|upon|into)(?! the house)|(?:catch|caught|get|got) "
            r"(?:sight|a (?:look|glimpse|view)) (?:of|at)|(?:laid|lay|set|clap|clapped) (?:your )?eyes on|"
            r"looked? at|near enough to see|bump(?:ed)? into|lay eyes on",
        ),
        (
            "move",
            r"(?:put|placed?|set|moved?|brought|carried|taken|took) (?=T?.*\b(?:somewhere|someplace) else)|"
            r"chang(?:e|ed|ing) (?:its |their )?(?:places?|spots?|positions?|locations?)|"
            r"switch(?:ed)? (?:places?|spots?)|swap(?:ped)? places",
        ),
        (
            "vanish",
            r"(?:taken|took|take|carried|carry|cleared|clear|brought) (?:away|out|off)(?: of)?|gone missing|went missing|go missing|got lost|"
            r"(?:not|no longer|nowhere) (?:there|here|around|present|to be found|to be seen)(?: (?:any ?more|now))?|"
            r"no longer (?:there|here|around|present|exists?)|(?:got|get) rid of|thrown (?:out|away)|"
            r"does not exist|is not there",
        ),
        (
            "appear",
            r"turn(?:ed|s)? up|show(?:ed|n|s)? up|com(?:e|es|ing) in(?:to the house)?(?= (?:since|lately|recently|after|now|between|$))|"
            r"came in(?= (?:since|lately|recently|after|now|between|$))|"
            r"come on the scene|brought in|put in newly|newly (?:there|here|arrived|added)|"
            r"was not (?:there|here)(?: \w+)? before|were not (?:there|here)(?: \w+)? before",
        ),
        (
            "describe",
            r"(?:paint|draw|sketch|give) (?:me |us )?(?:a )?(?:picture|sketch|word picture|description) of|"
            r"(?:walk|talk|take) (?:me|us) through|sum up|fill me in on|what have you got on",
        ),
        (
            "find",
            r"(?:give|show|tell) (?:me |us )?(?:the )?(?:directions|way|route|path) to|which way to|how (?:do|can|could|should|would) (?:i|we|one) get to|how to get to",
        ),
        ("you", r"your (?:own )?(?:cameras?|sensors?|eyes|lens|detectors?)(?= (?!on\b))"),
        (
            "appear",
            r"(?:catch|caught|come to|came to|draw|drew|attract|attracted) (?:your|my|our) (?:eyes?|attention|notice)",
        ),
        ("see", r"pick(?:ed|s)? up(?= (?:the|a|an|my|our)\b)"),
        ("first appear", r"(?:make|made) (?:its|their) (?:first appearance|debut|first showing)"),
        ("be", r"happen(?:s|ed)? to be"),
        ("how many", r"how numerous"),
        ("where", r"in (?:what|which) (?:part|corner|half|end|bit|section)(?= of)"),
        ("be", r"(?:is|are|was|were) to be (?:found|seen)"),
        ("on", r"on top of|on the top of|on to|resting upon|upon|atop(?: of)?|on the surface of"),
        ("under", r"underneath|beneath|below"),
        (
            "near",
            r"next to|close to|right by|right next to|closest to hand|beside|near to|in the (?:immediate )?(?:vicinity|neighbou?rhood) of|"
            r"adjacent to|alongside(?: of)?|by the side of|at the side of|side by side with|right near|right beside|flanking|bordering",
        ),
        (
            "nearest",
            r"(?:the )?(?:shortest|least) (?:way|distance|path|walk)|(?:the )?closest|least far|(?:the )?minimum distance|"
            r"(?:the )?smallest distance|nearer|closer",
        ),
        (
            "farthest",
            r"(?:the )?(?:longest|greatest|largest|most) (?:way|distance|path|walk)(?: away)?|furthest(?: away)?|"
            r"farthest(?: away)?|least (?:close|near)(?: to)?|(?:at |on )?(?:the )?(?:far|other|opposite) (?:end|side)(?: of the room)?(?= (?:from|to)\b)|(?:the )?(?:maximum|maximal|largest|greatest|biggest) distance|far(?= (?:off|away) as possible)|most (?:distant|remote|far-?away|removed)|remotest|outermost|farther|further(?= (?:away )?from)|as far (?:away )?as possible",
        ),
        (
            "before",
            r"earlier than|prior to|ahead of|sooner than|previous to|preced(?:e|es|ed|ing)|in advance of|by the time|leading up to|up until",
        ),
        ("after", r"later than|follow(?:s|ed|ing)?|subsequent to|once"),
        ("living", r"(?<=\w)-like"),
    )
)

_FAMILIES = {
    word: family
    for family, words in {
        "see": "see saw seen sees seeing notice noticed noticing spot spotted spotting find found finds finding "
        "observe observed encounter encountered meet met detect detected perceive perceived glimpse glimpsed "
        "sight sighted discover discovered recognise recognised witness witnessed view viewed passed locate located",
        "move": "move moved moves moving relocate relocated shift shifted displace displaced transfer "
        "transferred budge budged reposition repositioned wander wandered migrate migrated travel travelled "
        "rearranged rearrange",
        "vanish": "vanish vanished vanishes disappear disappeared disappears disappearing gone missing removed remove removing "
        "lost absent lacking stolen lose",
        "appear": "appear appeared appears appearing new newly arrive arrived arrives added add adding "
        "newcomer newcomers addition additions brought introduced",
        "change": "change changed changes changing different differ differs altered alter difference differences alteration alterations",
        "stand": "stand stands standing stood sit sits sitting sat lie lies lying lay lain rest rests "
        "resting rested placed positioned situated hang hangs hanging hung kept perched stored stay stays stayed remain remains "
        "remained leaning sits",
        "go": "go goes going went head headed enter entered entering visit visited visiting walk walked drive "
        "drove driven step stepped proceed proceeded travel come came comes arrive reach reached toured tour",
        "leave": "leave leaving left leaves exit exited exiting",
        "put": "put puts place take took taken carry carried bring set",
        "begin": "begin began begun start started starting starts beginning initial initially",
        "have": "have has had having hold holds held holding contain contains containing contained house houses housing include "
        "includes own possess",
        "be": "is are was were be been being am",
        "do": "do does did done",
        "near": "near nearby by around neighbouring neighboring neighbour neighbor neighbours neighbors close",
        "still": "still yet",
        "describe": "describe summarise summarize furnished portray depict characterise characterize",
        "count": "count tally",
        "show": "show tell name list give enumerate point state",
        "search": "looking searching search seek seeking hunting need want require after",
    }.items()
    for word in words.split()
    if word not in ("after", "house", "houses")
}

GENERIC = {
    word: symbol
    for symbol, words in {
        "THING": "thing things object objects item items stuff furniture furnishing furnishings anything something everything "
        "piece pieces contents belongings nothing whatever possessions",
        "ROOM": "room rooms chamber chambers",
        "HOUSE": "house home building flat apartment premises residence dwelling household",
        "SPOT": "place places spot spots location locations position positions whereabouts site corner area areas",
        "SOMEBODY": "somebody someone anybody anyone people person everybody they nobody",
        "ONE": "one ones two both others",
        "FLOOR": "floor floors level levels storey storeys story stories",
        "MOMENT": "time times day days date moment hour clock minute minutes second seconds weekday instant occasion occasions",
        "SIDE": "gap interval length duration way distance top side end middle surface vicinity",
        "VISIT": "visit visits tour tours trip trips round rounds walk-through walkthrough stay run",
        "IDEA": "idea clue look whole answer picture doubt chance sign trace",
        "ORDER": "order sequence route itinerary succession path chronology",
        "NUMBER": "number count total quantity amount",
        "PORTRAIT": "rundown overview summary description impression outline sketch portrait inventory list",
    }.items()
    for word in words.split()
}
_MODIFIERS = frozenset(
    "first second third last next same other others new old previous former original current present nearest "
    "closest farthest furthest earlier earliest latest whole entire very different exact initial usual own "
    "various right precise final only another particular immediate".split()
)
_DETERMINERS = frozenset(
    "the a an any some my your our his her their these those each every all no another whichever "
    "its this whatever several multiple various".split()
)
_AFTER_NOUN = frozenset(
    "in on at to of from by with near under over beside behind last first".split()
)
_STOP = frozenset(
    (
        "the a an any some my your our his her their these those each every this that which who whom whose "
        "what where when why how if whether whichever whatever i you we it he she they me us them him one there "
        "here is are was were be been being am do does did done have has had having can could will would shall "
        "should may might must not no and or but nor so then than as of in on at to from into onto by with "
        "without near under over above between among behind beside off out up down for about against across "
        "through during until since before after while because now still again also just only else too very "
        "ever never already always please right back away soon later earlier sooner first last next once "
        "company together nearest farthest other same exactly directly immediately currently today really actually "
        "see move vanish appear change stand go leave put begin still describe count show find found "
        "located get gets got getting know knew known tell remember recall think said say says look looks looked take taken "
        "kept seen sits use used make made let want wanted need happen happened happens keep keeps end ended "
        "share shares sharing shared that's anymore any more longer somewhere anywhere elsewhere someplace "
        "last most least recently inside outside within toward towards upstairs downstairs "
        "turn turned come came went gone bring brought whereabouts all both plus "
        "come comes came reach lead lend spend spent last lasted pass passed elapse elapsed start starts started "
        "containing holding held holds contain contains houses housing having "
        "support supports supporting carry carries bear bears "
        "surround surrounds surrounded accompany accompanies accompanying belong belongs "
        "precede precedes preceded rank compared versus vs "
        "cost costs own owns smell smells weigh weighs taste tastes sound sounds "
        "be used also instead like likes bought anyhow any "
        "straight straightaway confirm wondering wonder wondered equipped seem seems seemed itself yes "
        "retrace recount exist exists existed separate separated separates along amount consist consists "
        "sum called become became worth hide hid ran run had got took walked headed drove guess believe "
        "suppose figure checked check compare compared replaced anyone passing seeing meeting finding "
        "leaving having entering coming going being getting taking noticing spotting wherever whenever "
        "happens might suggest mention mind whole equip feature features together apart"
    ).split()
)
_MAYBE_VERBS = frozenset(
    "stand rest hang sit lie stay place end move work show look go start begin live change spot remain stop turn take".split()
)
_OWNING = re.compile(
    r"(?<!\bchild)(?<!\bchildren)(?<!\bkid)(?<!\bguest)(?<!\bbaby)'s\b|'s\b(?! rooms?\b)"
)
"""The room of a thing is the one it is in; a children's room is a kind of room."""
_TOKEN = re.compile(r"[a-z0-9]+(?:[-'_][a-z0-9]+)*|'s|[,;:.]")


@dataclass(frozen=True, slots=True)
class Named:
    """Something a question names.

    Attributes:
        text: Its words, without determiner.
        room: Whether they name a room.
        many: Whether it was said in the plural, or asked for by number.
    """

    text: str
    room: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A question without its names.

    Attributes:
        text: Words and symbols, one space between: `where be T1 in R1`.
        things: What `T1`, `T2` ... stand for.
        rooms: What `R1` ... stand for.
        plain: The words as they were said, with the symbols for names, for comparing by meaning.
    """

    text: str
    things: tuple[Named, ...]
    rooms: tuple[Named, ...]
    plain: str

    def name(self, symbol: str) -> str:
        """The words a symbol stands for."""
        kind, number = symbol[0], int(symbol[1:])
        return (self.things if kind == "T" else self.rooms)[number - 1].text


def skeleton(text: str, *, strict: bool = False) -> Skeleton:
    """Take a question apart.

    Args:
        text: Lower case; expressions of time already taken out.
        strict: Take no unknown word for a name that has neither an article nor a word before it
            that wants one ("how many", "which").
    """
    for pattern, plainer in _CONTRACTIONS:
        text = re.sub(pattern, plainer, text)
    text = joined(text)
    for pattern_, meant in _EXPRESSIONS:
        text = re.sub(r"\s+", " ", pattern_.sub(meant, text))
    return _Chunker(_TOKEN.findall(_OWNING.sub(" 's", text)), strict).run()


class _Chunker:
    """Walks over the words of a question once, cutting out what it names."""

    def __init__(self, tokens: list[str], strict: bool) -> None:
        self._tokens = tokens
        self._strict = strict
        self._verbs: set[int] = set()
        self._at = 0
        self._out: list[str] = []
        self._plain: list[str] = []
        self._things: list[Named] = []
        self._rooms: list[Named] = []

    def run(self) -> Skeleton:
        """The skeleton."""
        while self._at < len(self._tokens):
            word = self._tokens[self._at]
            if word in _DETERMINERS and self._phrase(self._at + 1, word):
                continue
            if self._opens_bare(word) and self._phrase(self._at, ""):
                continue
            self._word(word)
            self._at += 1
        return Skeleton(
            " ".join(self._out), tuple(self._things), tuple(self._rooms), " ".join(self._plain)
        )

    def _word(self, word: str) -> None:
        symbol = GENERIC.get(word) or _FAMILIES.get(word) or word
        if word == "one" and self._out[-1:] in (["which"], ["the"]):
            symbol = "ONE"
        self._out.append(symbol)
        self._plain.append(word)

    def _opens_bare(self, word: str) -> bool:
        """Whether a name without determiner may begin at a word: what is no other word."""
        if (
            word in _STOP
            or not word[0].isalnum()
            or (word in _FAMILIES and word not in _MAYBE_VERBS)
        ):
            return False
        if word in GENERIC or word in _MODIFIERS or _ADVERB.fullmatch(word):
            return False
        if self._at in self._verbs or self._leads(word):
            return False
        if self._strict and self._out[-1:] and self._out[-1] not in _WANTING:
            return False
        if self._out[-1:] and self._out[-1] in ("you", "i", "we"):
            return False  # what follows its subject is a verb: "did you inspect the kitchen"
        return word not in _OTHER_WORDS

    def _phrase(self, start: int, determiner: str) -> bool:
        """Cut out the name that begins at a place; False where there is none."""
        words: list[str] = []
        at = start
        while at < len(self._tokens) and self._belongs(at, words):
            words.append(self._tokens[at])
            at += 1
        if self._is_verb(words, at):
            words.pop()
            at -= 1
            self._verbs.add(at)
        modifiers = []
        while words and words[0] in _MODIFIERS and (len(words) > 1 or words[0] in ("others",)):
            modifiers.append(words.pop(0))
        if not words or (len(words) == 1 and words[0] in _MODIFIERS):
            return False
        while len(words) > 1 and words[-1] in GENERIC and self._is_named_before(words):
            words.pop()  # "rubber duck location"
            at -= 1
        if words[-1] in GENERIC and not self._is_kind(words):
            self._generic(determiner, [*modifiers, *words])
        else:
            self._named(determiner, modifiers, words)
        self._at = at
        return True

    def _belongs(self, at: int, words: list[str]) -> bool:
        word = self._tokens[at]
        if word in COLLECTIONS and self._tokens[at + 1 : at + 2] == ["of"]:
            return at + 2 < len(self._tokens) and self._opens_bare(self._tokens[at + 2])
        if "_" in word:
            return not words or words[-1] in _MODIFIERS or words[-1] not in GENERIC
        if not word[0].isalnum() or word in _DETERMINERS:
            return False
        if word == "of" and words and words[-1] in COLLECTIONS:
            return at + 1 < len(self._tokens) and self._opens_bare(self._tokens[at + 1])
        if words and word in _MAYBE_VERBS and not all(w in _MODIFIERS for w in words):
            ends = at + 1 == len(self._tokens) or not self._tokens[at + 1].isalpha()
            asked = any(
                token in ("do", "does", "did", "can", "could", "would")
                for token in self._tokens[:at]
            )
            return not asked and ends and word in ("stand", "rest", "spot", "place")
        if word == "can" and words:  # "the soup can?", not "the soup can be found"
            following = self._tokens[at + 1 : at + 2]
            return not following or following[0] in _AFTER_NOUN or not following[0].isalnum()
        if word in _MODIFIERS and words and not all(w in _MODIFIERS for w in words):
            return False
        if not words and (word in GENERIC or word in _MODIFIERS):
            return True
        if word.startswith("bear") and words and words[-1] == "teddy":
            return True
        if words and (word in ("thing", "things") or (word in GENERIC and words[-1] in _MODIFIERS)):
            return True
        if words and words[-1] in GENERIC and words[-1] not in ("second", "whole", "home"):
            return False
        if word in GENERIC:
            return True
        if word in _FAMILIES and word not in ("house", "new"):
            return False
        if words and _ADVERB.fullmatch(word):
            return False
        return word not in _STOP and not (words and word in _OTHER_WORDS - _HEADS)

    def _is_kind(self, words: list[str]) -> bool:
        """Whether words that end generically still name a kind: "dining room", "sitting area"."""
        if len(words) < 2:
            return False
        if room_word(words_of(loosened(" ".join(words)))):
            return True
        if all(w in _MODIFIERS or w in GENERIC for w in words[:-1]):
            return False
        return GENERIC[words[-1]] in ("MOMENT", "HOUSE", "SIDE")

    def _leads(self, word: str) -> bool:
        """Whether a word is a participle that begins the question: "measured from the desk"."""
        following = self._tokens[1:2]
        return (
            self._at == 0
            and word.endswith(("ed", "ing"))
            and following in (["from"], ["at"], ["by"], ["near"])
        )

    def _is_verb(self, words: list[str], at: int) -> bool:
        """Whether the last of a subject's words is its verb: "did the lamp occupy before"."""
        asked = len(words) > 1 and self._out[-1:] == ["do"]
        return asked and (
            at == len(self._tokens)
            or self._tokens[at] in ("before", "when", "while", "up", "off", "away")
        )

    def _is_named_before(self, words: list[str]) -> bool:
        """Whether a name stands before a general word that is not part of it."""
        return not self._is_kind(words) and not all(
            w in _MODIFIERS or w in GENERIC or w in _FAMILIES for w in words[:-1]
        )

    def _generic(self, determiner: str, words: list[str]) -> None:
        *rest, head = words
        if determiner in ("any", "no", "each", "every", "all", "another", "whichever", "whatever"):
            rest = [determiner, *rest]
        self._out += [*(_FAMILIES.get(word, word) for word in rest), GENERIC[head]]
        self._plain += [*([determiner] if determiner else []), *words]

    def _named(self, determiner: str, modifiers: list[str], words: list[str]) -> None:
        text = loosened(" ".join(words))
        room = room_word(words_of(text))
        head = text.split(" of ")[0].split(" ")[-1]
        many = singular(head) != head
        named = Named(text, room, many)
        known = self._rooms if room else self._things
        again = next((i for i, other in enumerate(known) if other.text == text), None)
        if again is None:
            known.append(named)
            again = len(known) - 1
        article = ["any"] if determiner in ("a", "an", "any", "some") else []
        symbol = f"{'R' if room else 'T'}{again + 1}"
        self._out += [*article, *(_FAMILIES.get(word, word) for word in modifiers), symbol]
        self._plain += [*modifiers, "the", symbol]


_WANTING = frozenset("many which what NUMBER of in and or , from nearest farthest near on".split())
"""Words before which even a bare word is a name, in what is read strictly."""
_ADVERB = re.compile(r"[a-z]{3,}ly")
_HEADS = frozenset({"case"})
"""Other words that after another noun are a thing's: "glasses case"."""
_OTHER_WORDS = frozenset(
    "help lead guide direct fetch bring wonder mind hey hi hello ok okay robot dear thanks thank hi many much "
    "often long far big large recent recently often different way what's lately yesterday today ago far "
    "toured trip round visit tour rounds else possible everyone visits sure true correct "
    "case fact used able apart long spare regards terms total altogether inside order memory "
    "hear heard smelt felt tasted finished done through remind reminded knows knew forgot forget forgotten paint "
    "kind kinds sort sorts type types far-off again wait well besides aside "
    "seconds minutes hours days times time year years month months week weeks "
    "point list name give let us tell show state enumerate go by look "
    "somebody someone anybody anyone people they nobody".split()
)
