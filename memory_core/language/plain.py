"""Questions as people put them, in the plain words that the patterns of `questions` know.

"Any idea where my keys are?" asks "where my keys are"; "I can't find my keys" asks to find them.
"""

from __future__ import annotations

import re

from memory_core.language.lexicon import words_of
from memory_core.language.rooms import room_word

SEE = (
    r"(?:see|saw|seen|notice|noticed|spot|spotted|find|found|observe|observed|encounter|"
    r"encountered|hear|heard|pass|passed|come across|came across|meet|met|remember|detect|"
    r"detected|look at|looked at)"
)
YOU = r"(?:you|i|we|the robot|robot|it|anyone|anybody|someone)"
_WORDS_THAT_ASK = r"where|when|what|which|who|how|if|whether"
_ASKING = rf"(?:{_WORDS_THAT_ASK})"
_VERBS_THAT_ASK = r"is|are|was|were|did|do|does|has|have|can|could"
_PLAINER = tuple(
    (re.compile(pattern), plainer)
    for pattern, plainer in (
        (r"^(?:hey|hi|hello|ok|okay|please|so|and|well|now|robot)\b[, ]*", ""),
        (r"^(?:hey|hi|robot|please)\b[, ]*", ""),
        (r"^(?:i lost|i(?:'ve| have) lost|i(?:'ve| have)? misplaced) (.+?)(?:[,.;].*)?$",
         r"find \1"),
        (r"[,;.] (?:please|thanks|thank you)$| please$", ""),
        (r"^(?:(?:can|could|would|will) you )?(?:please )?(?:tell|show|remind) (?:me|us) (?:again )?"
         rf"(?={_ASKING}\b)", ""),
        (rf"^(?:do|does|did|have|can|could) (?:you|anyone|anybody|someone) (?:ever )?(?:please )?"
         rf"(?:know|remember|recall|notice|noticed|see|say|have any idea|any idea) (?={_ASKING}\b)", ""),
        (rf"^(?:any|(?:do )?you have any|have you any|have you got any|i have no) (?:idea|clue) (?={_ASKING}\b)",
         ""),
        (rf"^(?:i wonder|i(?:'d| would) like to know|i want to know|i need to know|i am wondering|i'm "
         rf"wondering|i (?:don't|do not) (?:know|remember)|i forgot) (?={_ASKING}\b)", ""),
        (r"^when (you|i|we) (\w+) (.+?), where (?:were|was) \1$", r"where were \1 when \1 \2 \3"),
        (r"^do you remember seeing ", "have you ever seen "),
        (r" still(?= |$)(?! life)", ""),
        (r"^(?:which|what) (?:kinds? of )?rooms\b.*$", "describe everything"),
        (r"\b(?:nearest|closest) ([a-z ]+?) to (?=(?:the|a|an|my) )", r"\1 near "),
        (r"^(?:if|whether) (there) (is|are|was|were)\b", r"\2 \1"),
        (rf"^(?:if|whether) (?:you|i|we) (?:have |had )?(?:ever )?(?={SEE}\b)", "have you ever "),
        (r"^(?:if|whether) (.+?) (is|are|was|were|has|have|did) ", r"\2 \1 "),
        (r"^(?:can|could|would|will) (?:you|we|i) (?:please )?(?:help (?:me|us) )?(?:to )?(?=(?:find|show|"
         r"locate|look for|search for|fetch|bring|get|take|go|list|count|describe|summari[sz]e|tell|give|name)\b)",
         ""),
        (r"^(?:help (?:me|us) )(?:to )?(?=find\b)", ""),
        (r"^i(?:'m| am) (?:looking|searching) for ", "find "),
        (r"^i (?:can't|cannot|can not|could not|couldn't|am unable to) (?:find|see) ", "find "),
        (r"^i(?: would|'d)? (?:need|want|like|am missing|miss) (?=the |a |an |my |our |some )", "find "),
        (r"^(?:in |on )?(?:which|what) (?:room|floor|storey|part of the (?:house|building)) (?=you\b|"
         r"(?:was|were|are|did|am) (?:you|i|we|the robot)\b(?!.*\b(?:see|find|notice|spot|leave|put)\b))",
         "where "),
        (r"^(?:in |on )?(?:which|what) (?:room|floor|storey|place|part of the (?:house|building)) "
         r"(?=(?:is|are|was|were|did|do|does|have|has|can|could|should)\b)(.+?)(?: in| on| at)?$",
         r"where \1"),
        (r"^(?:what|where)(?:'s| is| was| were| are) (?:the |your |my )?(?:current |last known |exact )?"
         r"(?:location|position|whereabouts|place|coordinates) of ", "where is "),
        (r"^(?:what|where)(?:'s| is| was) (?:your|the robot's) (?:current )?(?:location|position|"
         r"whereabouts|coordinates)\b", "where were you"),
        (r"^where (?:is|was|are) the robot\b", "where were you"),
        (r"^where did (?:your|the|my|our) (?:tour|trip|drive|run|round|path|session) (?:start|begin|end|"
         r"finish|stop)\b", "where were you"),
        (r"^where (?:in|inside|around) (?:the|this|your|our) (?:house|home|building|flat|apartment|"
         r"place) ", "where "),
        (r"^where ((?:in|on|near|under|inside) the [a-z ]+?) (is|are|was|were|did you (?:see|find)) (.+)$",
         r"where \2 \3 \1"),
        (r"^where (?:do|did) you (?:think|believe|suppose|reckon) ", "where is "),
        (r"^where(?: the (?:hell|heck)| on earth)? (?:did|has|have|had|could|would|might|may|should|can) "
         rf"(?!{YOU}\b)(.+?) (?:go|gone|be|been|end up|ended up|have gone|disappear to|get to)$",
         r"where is \1"),
        (r"^what (?:do you (?:remember|know|recall)|can you (?:tell|say)(?: me)?) (?:about|of) ",
         "describe "),
        (r"^tell (?:me|us) (?:more |something |everything |all )?about ", "describe "),
        (r"^give (?:me|us) (?:an?|the) (?:\w+ )?(?:summary|overview|description)$", "describe everything"),
        (r"^what colou?r (?:is|are|was|were) ", "describe "),
        (r"^what(?:'s| is| was) the colou?r of ", "describe "),
        (r"^(?:what(?:'s| is| was) the |what )number of (.+?)(?: (?:is|are) there)?$", r"how many \1"),
        (r"^(?:please )?count (?:all )?(?:the |my |our )?", "how many "),
        (r"^how much time (?:did|have|has|had|do)\b", "how long did"),
        (r"^how many (?:metres|meters|kilometres|kilometers|miles|steps) (?=(?:did|have|has)\b)", "how far "),
        (r"^(?:what(?:'s| is| was)|how (?:big|large|long) is) the distance (?:between|from) (.+?) (?:and|to) ",
         r"how far is \1 from "),
        (r"^how far (?:apart )(?:are|were) (.+?) (?:and|from) (.+)$", r"how far is \1 from \2"),
        (r"^how far (?:are|were) (.+?) and (.+?) apart$", r"how far is \1 from \2"),
        (r"^how (?:close|near) (?:is|are|was|were) (.+?) (?:to|from) ", r"how far is \1 from "),
        (r"^how far away (?:is|are|was|were) (.+?)(?: from (?:you|me|here))?$", r"how far is \1"),
        (r"^(was|were) (you|i|we|the robot) (?:ever |recently )?(?=(?:in|at|inside|on|upstairs|downstairs)\b)",
         "have you been "),
        (r"^(?:is|was|are|were) (?:the |a |an )?([a-z ]+?) or (?:the |a |an )?([a-z ]+?) (?:seen |visited |"
         r"found )?(?:first|earlier)$", r"which did you see first, \1 or \2"),
        (rf"^did (?:you|i|we|the robot) first (?:{SEE}|visit) (.+ or .+)$", r"which did you see first, \1"),
        (r"^(?:did|have|had) (?:you|i|we|the robot) (?:visit(?:ed)?|go(?:ne)? (?:in)?to|enter(?:ed)?|been (?:in|to)|been "
         r"at) (.+? (?:before|after|earlier than|later than) .+)$", r"did you see \1"),
        (r"\b(?:visit|visited|enter|entered|reach|reached|exit|exited)\s+(?=(?:the|a|my|our|your) )", "be in "),
        (r"^(when (?:did|do|have|had) (?:you|i|we|the robot) )(?:leave|left) (?=(?:the|my|our|your) )",
         r"\1be in "),
    )
)  # fmt: skip
"""What people say instead of the plain words: politeness, indirect questions, other turns.

Applied one after the other, each once; what comes out is what the patterns of each kind read.
"""

_A = r"(?:(?:the|a|an|my|our|your|any) )"
_KNOWN = r"(?:(?:the|my|our|your|his|her|their) )"
_THING = rf"({_KNOWN}[a-z' -]+?)"
_I = r"(?:i|we|you|one|somebody|someone)"
_MUST = (
    rf"(?:(?:would|could|should|can|must|shall|will) {_I}(?: have to| need to| best| ever)?"
    rf"|do {_I} (?:have|need) to)"
)
_FIND = r"(?:get|find|fetch|see|grab|collect|pick up|take)"
_NAME = r"(?:(?!\b(?:in|on|at|next|near|around|behind|under|is|are|was|were)\b)[a-z' -])"
"""A letter of a name that no word of place follows."""
_WORD = r"(?!(?:in|on|at|near|by|a|an|is|are|with|from|to)\b)[a-z'-]+"
_LISTENING = re.compile(
    r"^(?:(?:hey|hi|hello|okay|ok|yo|so(?! (?:far|many|much|long)\b)|well|now|um|uh|oh|listen|sorry|"
    r"excuse me|please|please tell me)\b[,!.:]? +(?:there[,!.]? +)?|robot[,!.:] +|"
    r"(?<=hey )robot[,!.:]? +|(?<=hi )robot[,!.:]? +|"
    rf"robot(?= (?:where|what|which|when|how|who|{_VERBS_THAT_ASK})\b))+"
)
"""Who is spoken to, and what else a sentence begins with before it asks."""
_KEPT = (
    r"(?:still )?(?:in|at|on) (?:the|its|their) (?:very |exact )?(?:same|usual|old) (?:spot|place|position|location)"
    r"(?: as (?:it was |they were )?(?:before|yesterday|earlier|last time|the last time|when i left (?:it|them)))?"
)
_ELSEWHERE = (
    r"(?:(?:now )?(?:somewhere else|elsewhere|in (?:another|a different) (?:place|spot|location)|"
    r"(?:not|no longer) (?:in the same (?:place|spot)|where (?:it|they) (?:was|were|used to be|had been))))"
)
_SURFACE = (
    r"(?:table|shelf|surface|counter|cabinet|cupboard|rack|stand|desk|piece of furniture|furniture)"
)
_NAMED = rf"({_KNOWN}{_NAME}+?)"
"""A thing without the place it is at."""
_LEAD = (
    r"(?:i|we|you|do|can|could|would|will|was|am|were|please|tell|let|me|us|know|wonder|wondering|happen|to|say|"
    r"check|remember|recall|just|,)"
)
_POSED = r"(?:lying|standing|sitting|resting|placed)"
_REWORDED = tuple(
    (re.compile(pattern), other)
    for pattern, other in (
        (r"^(?=.*\b(?:mov(?:e|es|ed)|shift(?:ed)?|relocated?|displaced?|rearranged?|changed?|different|elsewhere|somewhere else)\b)"
         r"(?!.*\b(?:on|last|of|the night|\w+day)\b)(.*?)\bovernight\b", r"\1last night"),
        # whether, and where to, something was moved, told in a subordinate clause
        (rf"^(?:is|are|was|were) {_NAMED} (?:still )?where {_I} (?:left|put|placed|had|last (?:left|put)) (?:it|them)\b(.*)$",
         r"has \1 been moved\2"),
        (rf"^(?:{_LEAD} )*(?:whether|if) (?:{_I}|anyone|anybody|they|people) (?:had |has |have )?(?:moved|shifted|relocated|displaced) {_NAMED}"
         r"((?: since| last| yesterday| during).*)?$", r"has \1 been moved\2"),
        (rf"^(?:is there |are there )?any (?:changes?|movement) (?:with|of) {_NAMED}((?: since| last| yesterday| today)[^,]*)?(?:, .*)?$",
         r"has \1 been moved\2"),
        (rf"^{_NAMED} (?:isn't|is not|aren't|are not|wasn't|was not) where [^,]*, where (?:(?:did|do) (?:it|they) (?:go|end up|get to)|"
         r"(?:has|have) (?:it|they) (?:gone|been (?:put|moved))(?: to)?)$", r"where was \1 moved to"),
        # what something stands on, asked for as furniture
        (rf"^(?:.*\b)?(?:which|what) (?:(?:piece|bit|item|kind) of )?{_SURFACE} {_THING} (?:is|are)(?: [a-z]+(?:ing|ed|pt|ut))? (?:in|on|at|inside)$",
         r"what is \1 on"),
        (rf"^(?:which|what) (?:(?:piece|bit|item|kind) of )?{_SURFACE} (?:has (?:got )?{_THING} (?:on|in|inside) it|"
         rf"(?:is )?(?:hold|carry|support|bear|host)(?:s|ing) {_THING})$", r"what is \1\2 on"),
        (rf"^(?:.*\b)?what {_THING} (?:is|are)(?: [a-z]+(?:ing|ed|pt|ut))? (?:on|in|on or in|in or on|inside)$", r"what is \1 on"),
        (r"^(?:just|only) the room(?: is fine| please)?[:,] where(?:'s| is| are) (.+)$", r"which room is \1 in"),
        # what a sentence begins and ends with
        (r"^(?:(?:oi|bro|dude|mate|dear|pray tell|kindly|quick question|just curious)\b[,!.:]? +|(?:right|look|quick)[,!.:] +)+", ""),
        (r"^(?:would|will|could|can) you (?:be (?:a dear|so kind|kind enough|an angel)(?: as)?(?: and| to)?|(?:kindly|please|mind) )(?: ?please)? ?"
         rf"(?:tell(?:ing)?|say(?:ing)?|show(?:ing)?|let(?:ting)?)(?: (?:me|us))?(?: know)? (?={_ASKING}\b)", ""),
        (r"^(?:(?:please|kindly) )?(?:state|specify|indicate|confirm|advise|clarify|say|check|tell me|let me know) (?:if|whether)(?: or not)? "
         rf"{_THING} (is|are|was|were|has|have) ", r"\2 \1 "),
        (rf"^(?:(?:please|kindly) )?(?:state|specify|identify|indicate|name|tell me|give me) (?:the )?room (?:that |in which |which )?{_THING} "
         r"(?:is|are)(?: (?:presently|currently|now))?(?: (?:located|kept|found|in))?(?: in)?$", r"which room is \1 in"),
        (rf"^(?:presence of )?(?!(?:{_VERBS_THAT_ASK}|had|where|what|which|who|how|when|if)\b)([a-z' -]+?) ((?:in|on|at) [a-z' -]+?)[,:;]? \(?(?:yes or no|yes/no|y/n)\)?$", r"is \1 \2"),
        (r",? (?:by any chance|by chance|at all|any idea|do you know|rn|right now|just now|these days|at the moment|"
         r"at this (?:hour|moment|time)|at the present (?:time|moment)|at present|for me|or not|please|thanks|thank you|\(yes/no\)|yes or no|yes/no\))$", ""),
        (r", (?:my )?(?:love|dear|mate|darling|friend)$", ""),
        (rf"^(?:have you |do you have |is there )?(?:any|some) idea of the (?:whereabouts|location|position|place) of ({_KNOWN}[a-z' -]+)$", r"where is \1"),
        (rf"^(?:is it (?:the case|true|right|correct)|am i (?:right|correct)|would i be (?:right|correct)|is there any chance|any chance)"
         rf"(?: in (?:thinking|saying|believing|assuming))? (?:that )?{_THING} (is|are|was|were|has|have|might be|may be|could be) (.+)$",
         r"\2 \1 \3"),
        (r"^(?:might|may|could) be (.+? (?:in|on|at) .+)$", r"is \1"),
        (rf"^(?:i wonder|i'm wondering|i am wondering|i'd like to know|wondering) (?:if|whether) {_THING} (?:might be|may be|could be|is|are) (.+)$",
         r"is \1 \2"),
        (rf"^(?:somebody|someone|they|people) (?:told me|said|say|says) (?:that )?{_THING} (is|are|was|were) (.+?)[.,;:] (?:is|was) .+$",
         r"\2 \1 \3"),
        (rf"^(?:if (?:i|we) (?:looked|look|went|go|walked|walk|stood|stand)(?: (?:at|on|to|into|in|over to|before|by))? {_THING},? )"
         r"what (?:would|could|will|can) (?:i|we) (?:see|find|spot) (on|in|inside|at) (?:it|there)$", r"what is \2 \1"),
        (rf"^(?:what(?:'s| is| has)|which (?:things|objects|items) (?:does|do|has|have)) {_THING} (?:got|have)(?: (?:sitting|standing|lying))? (on|in) (?:it|top)$",
         r"what is \2 \1"),
        (rf"^if (?:i|we|somebody|someone) (?:counted|count|counts|added up) (?:all )?(?:{_KNOWN})?({_NAME}+?),? (?:what|how many) .+$", r"how many \1 are there"),
        (rf"^(?:(?:please )?(?:give me|i need|do) )?(?:an? |the )?(?:head ?count|stock count|count|tally|total)(?: number)? (?:of|for|on) (?:{_KNOWN})?({_NAME}+)$",
         r"how many \1 are there"),
        (rf"^(?:would|could|can|will) you (?:please )?(?:add up|count|tally)(?: up)? (?:{_KNOWN})?({_NAME}+)$", r"how many \1 are there"),
        (r"^(how many (?:(?!\b(?:should|do|does|did|would|can|could|must)\b)[a-z' -])+?) (?:are )?(?:in (?:our|my) possession|do (?:we|i) (?:own|possess|have)|(?:we|i) (?:own|possess|have))$", r"\1 are there"),
        (rf"^(?:please )?(?:tell(?: me)?|name|give(?: me)?|state|say|show me) (?:the )?(?:place|spot|location|position) (?:where|in which|at which) "
         rf"{_THING} (is|was)(?: (?:right )?now| kept| located)?$", r"where \2 \1"),
        (rf"^(?:please )?(?:tell(?: me)?|name|give(?: me)?|state|say) (?:the )?(?:place|spot|location|position) (?:to which {_THING} was (?:moved|taken|carried)"
         rf"|(?:where|in which|at which) {_THING} was put after it was moved)$", r"where was \1\2 moved to"),
        (rf"^(?:what (?:was|is) )?(?:the )?(?:destination|new (?:place|spot|location|position|home)) of (?:the (?:moved|relocated) |({_KNOWN}))((?!robot\b|trip\b|tour\b|way\b){_NAME}+?)(?: when it was moved| after it was moved)?$",
         r"where was \1\2 moved to"),
        (rf"^(?:please )?(?:identify|name|specify|tell me|give me|show me) the room (?:with|containing|that has|that holds) {_THING}(?: in it| inside)?$",
         r"which room is \1 in"),
        (rf"^what(?:'s| is) (?:supporting|holding up) ({_KNOWN}[a-z' -]+)$", r"what is \1 on"),
        (rf"^(is|are) {_THING} (?:now )?(?:somewhere|some place|in a place|in a spot|anywhere) (?:else|other|different)(?: (?:than|from|to))? (?:where .+|before)$",
         r"has \2 been moved"),
        (r"^since (?:your|the|our) (?:first|last|earlier|previous) (?:sighting|look|view)(?: of it| at it),? ((?:has|have|was|were|did) .+)$", r"\1"),
        (rf"^(does|do) {_THING} (?:continue|remain)(?: to be)? where (.+)$", r"is \2 still where it was"),
        (rf"^if (?:i|we|someone|somebody) (?:wanted|want|wished|had|needed) to put {_THING} back,? where .+$", r"where was \1 before it was moved"),
        (rf"^which (?:objects|things|items) (?:does|do) {_THING} (?:hold|have|carry|bear)(?: on (?:it|top))?$", r"what is on \1"),
        (rf"^{_THING} has what(?: (?:things|objects|items))? (on|in) (?:it|top)$", r"what is \2 \1"),
        (r"\b(?:been )?(?:put|placed|left) (?:in|at) (?:a new|another|a different) (?:place|spot|location)$", "moved"),
        (rf"\b(?:that|this|the) ({_WORD}(?: {_WORD})?) of (?:mine|ours|yours)\b", r"my \1"),
        # statements that ask for a yes
        (rf"^(?:i (?:think|believe|guess|suppose|assume|reckon)|i'm (?:pretty |quite |fairly )?sure|if i (?:remember|recall) (?:right|"
         rf"rightly|correctly),?) (?:that )?{_THING} (is|are) ((?:in|on|at|under|inside|still) [a-z' -]+?)(?:[,.;:] (?:am i (?:right|wrong|correct)|is (?:it|that)(?: right| correct| so)?|right|correct|or not|yes|no))?$",
         r"\2 \1 \3"),
        (rf"^{_THING} (is|are) ((?:in|on|at|under|inside|still) (?!(?:which|what)\b)[a-z' -]+?)[,.;:]? "
         r"(?:right|correct|yes|no|isn't it|aren't they|is it not|isn't that right|is that right|is that correct|am i right)$",
         r"\2 \1 \3"),
        (rf"^{_THING} (is|are) ((?:in|on|at|under|inside) {_KNOWN}[a-z' -]+)$", r"\2 \1 \3"),
        # "is the kitchen where the mug is"
        (rf"^is ({_KNOWN}(?:[a-z]+ )?[a-z]*(?:room|kitchen|office|library|hall|hallway|garage|study|pantry|lounge|closet)) (?:the (?:room|place|spot) )?"
         rf"(?:where|in which) (?:(?:(?:i|we) (?:can|could|will|would|might) find )({_KNOWN}{_NAME}+)|({_KNOWN}{_NAME}+?) (?:is|are|can be found|is kept))$", r"is \2\3 in \1"),
        # what was moved, and what was not
        (rf"^(?!(?:{_WORDS_THAT_ASK}|{_VERBS_THAT_ASK}|had|i|you|we|it|they)\b)(?:{_KNOWN})?"
         r"((?:(?!\b(?:in|at|on|of|from|to)\b)[a-z' -])+?),? (?:still )?(?:the )?same (?:place|spot|position)$", r"is the \1 still where it was"),
        (rf"^(is|are) {_THING} (?:{_KEPT}|unmoved|untouched)$", r"\1 \2 still where it was"),
        (rf"^(?:is|has) (?:the )?(?:position|place|location|spot) of {_THING} (?:unchanged|(?:still )?the same)$",
         r"is \1 still where it was"),
        (rf"^(?:is|has) (?:the )?(?:position|place|location|spot) of {_THING} (?:been )?(?:changed|different)$",
         r"has \1 been moved"),
        (rf"^(?:compared (?:with|to) (?:yesterday|before|last time),? )?(?:what|which)(?: (?:things|objects|items|stuff))?"
         rf"(?:'s| is| are|(?: is|are)?n't) (?:not )?(?:where (?:it|they) (?:was|were|used to be|had been)|{_ELSEWHERE})"
         r"(?:,? (?:than|from|as|compared (?:with|to)))?(?: (?:yesterday|before|earlier|last time))?$", "which things have moved"),
        (r"^what(?:'s| is| are) (?:now )?(?:different|changed) (?:from|than|compared (?:with|to)|to) (?:yesterday|before|last time)\b.*$", "what has changed"),
        (r"^what (?:have|has|did) (?!(?:you|the robot|i|we)\b)(?:(?:the|my|our|your) )?(?!(?:changed|appeared|been|moved|happened)\b)[a-z']+(?: and [a-z']+)? "
         r"(?:moved?|shift(?:ed)?|relocated?)(?=$| since\b| in\b| from\b| today\b| yesterday\b| last\b| this\b)",
         "what was moved"),
        (r"^what did (?:i|we|they) (?:leave|put|place|set down) (?=(?:in|on|at) )", "what is "),
        # what is on what
        (r"^on top of (?=(?:what|which)\b)", "on "),
        (rf"^((?:next to|close to|beside|near|by) (?:what|which(?: [a-z]+)?) (?:is|are|was|were) {_KNOWN}{_NAME}+?)"
         rf" {_POSED}$", r"\1"),
        (rf"^(?:which|what) {_SURFACE}(?:,? (?:or |and )?(?:which |what )?{_SURFACE})* (is|are|was|were) ({_KNOWN}{_NAME}+?)"
         rf"(?: {_POSED})? on$", r"what \1 \2 on"),
        (rf"^(is|are) {_THING} on an? [a-z, ]+? or (?:what|something else|where)$", r"what \1 \2 on"),
        (rf"^what (?:does|do) {_THING} (?:have|hold|carry) (on|in|inside) (?:it|them|top)$", r"what is \2 \1"),
        (r"\b(lying|standing|sitting) (?:around|about) (?=(?:on|in) )", r"\1 "),
        (rf"^where {_THING} (?:has|have) (?:got|gone|gotten|ended up|disappeared|wandered off)(?: to)?$", r"where is \1"),
        (r"^(where)(?: (?:in|inside|around) the (?:house|home|flat|building|place))?(?:'d| did) (?!(?:you|i|we)\b)(.+?) (?:go|end up|wander off|get|disappear)(?: to)?$",
         r"\1 is \2"),
        (r"^(where(?: in the house| in the home)?(?:'s| is| are)) (.+?) (?:hiding|hidden|lurking|hanging out)$", r"\1 \2"),
        (r"^was it [a-z0-9 ]+ or [a-z0-9 ]+ (?:that|when) (?:you|the robot) (last |first )?(?:saw|had seen|noticed) (.+?)( last| first)?$",
         r"when did you \1see \2\3"),
        # "where would I go to get the lemon": a thing by name, not a need
        (rf"^where {_MUST} (?:go|look|search|walk|drive|head|turn)(?: (?:in order )?to| and|,)? "
         rf"{_FIND} ({_KNOWN}[a-z' -]+)$", r"where is \1"),
        (rf"^(?:in |into )?(?:which|what) room {_MUST} (?:go|look|search|walk|drive|head|turn|enter)(?: (?:in|to|into))?"
         rf"(?: (?:in order )?to| and)? {_FIND} ({_A}[a-z' -]+)$", r"which room is \1 in"),
        (rf"^what {_MUST} (?:look|search|reach) on(?: top of)?(?: (?:in order )?to| and) {_FIND} ({_A}[a-z' -]+)$",
         r"what is \1 on"),
        (rf"^on (?:top of )?what {_MUST} (?:look|search|reach)(?: (?:in order )?to| and) {_FIND} ({_A}[a-z' -]+)$",
         r"what is \1 on"),
        (rf"^what (?:kind|sort|type) of room (is|was) ({_A}[a-z' -]+) in$", r"which room \1 \2 in"),
        (rf"^{_MUST} (?:find|see|get|come across|run into) ({_A}[a-z' -]+?) "
         rf"if {_I} (?:went|go|goes|looked|look|walked|walk|searched|search|entered|enter)(?: (?:in|to|into|inside|around))? ({_A}[a-z' -]+)$",
         r"is there \1 in \2"),
        (rf"^before (?:it|they|that) (?:was|were|got|had been) (?:put|moved|placed|taken|brought|carried)(?: to)? where (?:it|they) (?:is|are|was|were)(?: now)?,? "
         rf"where (was|were) ({_A}[a-z' -]+)$", r"where \1 \2 before it was moved"),
        (rf"^({_A}[a-z' -]+?) (?:is|was|are|were)(?:n't| not| no longer) where (?:it|they) (?:was|were|used to be|had been)"
         r"(?: any ?more)?[:;,.]? (?:so )?where (?:(?:was|were) (?:that|it|they)|is that)(?: before)?$",
         r"where was \1 before it was moved"),
        (rf"^(?:what|where) (?:was|is) (?!{_KNOWN}robot\b)({_A}[a-z' -]+?)'s? (?:previous|old|former|earlier|original) "
         r"(?:location|place|position|spot|home)$", r"where was \1 before it was moved"),
        (r"^(?:which|what)(?: of the)? (things|objects|items) (?:are|were) no longer where they (?:were|used to be|had been)\b",
         r"which \1 have moved"),
        (r"(?:,|,? (?:i mean|namely|meaning)) the one (?=(?:in|on|near|next|by|beside|with|inside|closest|nearest)\b)", " "),
        (r"\bright (?=(?:near|next to|beside|by)\b)", ""),
        (rf"^(?:starting|beginning|going|counting|measured|measuring|looking|coming) (?:out )?(?:from|at) "
         rf"({_A}[a-z -]+?),? (where(?:'s| is| are| was)|what(?:'s| is)|which is|find|show me) the (nearest|closest) "
         r"([a-z -]+)$", r"\2 the \4 nearest to \1"),
        (rf"^(?:starting|beginning|going|counting|measured|measuring|looking|coming) (?:out )?(?:from|at) "
         rf"({_A}[a-z -]+?),? (where(?:'s| is| are| was)|what(?:'s| is)|which is|find|show me) the "
         r"(?:farthest|furthest|most distant) ([a-z -]+)$", r"\2 the \3 farthest from \1"),
        (rf"^(?:how much|how many (?:seconds|minutes|hours)|how long|by how much) (?:later|earlier|sooner) than "
         rf"({_A}[a-z -]+?) (?:did|was|were|do|have|has|had|is) (?:(?:you|i|we|the robot) )?"
         rf"(?:(?:first|seen|{SEE}) )*({_A}[a-z -]+?)((?: (?:first|seen|appear|turn up|show up|come|up|noticed|spotted"
         r"|in view|into view))*)$", r"how much time passed between \1 and \2"),
        (rf"^(?:did|has|have|had) (?:somebody|someone|anybody|anyone|people|they) "
         rf"(?:take|taken|carry|carried|bring|brought|move|moved) ({_A}[a-z -]+?) (?:away|out|off|with them)$",
         r"has \1 vanished"),
        (rf"^where (?:was|is|were) (?:your|the|our|my) (?:last|latest|most recent) sighting of ({_A}?[a-z -]+)$",
         r"where did you last see \1"),
        (rf"^(?:(?:please )?(?:tell|give)(?: me)? )?(?:when (?:was|is) |(?:what (?:was|is) )?(?:the )?(?:exact )?(?:time|moment|date|hour|day|point)(?: and date)? (?:of|at|for) )?"
         rf"(?:your|the|our|my)? ?(?:first|earliest|initial|very first)(?: ever)? (?:sighting|glimpse|view|encounter|observation|appearance|detection|sight|spotting) (?:of|with) ({_A}?[a-z -]+)$",
         r"when did you first see \1"),
        (rf"^(?:(?:please )?(?:tell|give)(?: me)? )?(?:when (?:was|is) |(?:what (?:was|is) )?(?:the )?(?:exact )?(?:time|moment|date|hour|day|point)(?: and date)? (?:of|at|for) )?"
         rf"(?:your|the|our|my)? ?(?:last|latest|most recent|final|very last) (?:sighting|glimpse|view|encounter|observation|appearance|detection|sight) (?:of|with) ({_A}?[a-z -]+)$",
         r"when did you last see \1"),
        (rf"^(?:when (?:was|is) )?(?:your|the|our|my)? ?(?:last|latest|most recent) sighting of ({_A}?[a-z -]+)$",
         r"when did you last see \1"),
        (rf"^(?:when (?:was|is) )?(?:your|the|our|my)? ?(?:first|earliest) sighting of ({_A}?[a-z -]+)$",
         r"when did you first see \1"),
    )
)  # fmt: skip
"""Turns that put the parts of a question in another order than it is read in."""


_HOLDS = re.compile(rf"^(does|do|did) {_THING} (?:have|contain|hold) ({_A}[a-z' -]+)$")
_MORE = re.compile(r"\b(?:than|that|which|who|on|in|at|with|for|from|to)\b")


def _held(text: str) -> str:
    """What a room is asked to have, as what is in it: "is there a clock in the kitchen"."""
    found = _HOLDS.match(text)
    if found is None or _MORE.search(found[3]) or not room_word(words_of(found[2])):
        return text
    return f"{'was' if found[1] == 'did' else 'is'} there {found[3]} in {found[2]}"


_NAMED_FIRST = (
    # "the red mug, is it in the kitchen"; "about the red mug: where is it"
    re.compile(
        rf"^(?:about |what about |regarding |as for )?({_KNOWN}(?:(?!\b(?:is|are|was|were)\b)[a-z' -])+?)[,:;.] "
        r"(?:so |and )?(.+)$"
    ),
    # "I lost my keys. When did you last see them?"
    re.compile(r"^(?:i|we)(?:'ve| have)? (?:lost|misplaced|mislaid|can't find|cannot find|couldn't find|can't see|am looking for|are looking for|"
               rf"miss|(?:need|want|would like)(?: to [a-z]+(?: up| out| back)?)?) {_THING}[.,;:!] (?:so )?(.+)$"),
)  # fmt: skip
_ITS = re.compile(r"\b(?:it|them|they)\b")
_TIME_NAME = re.compile(r"\b(?:day|days|night|week|morning|afternoon|evening|time|hour|moment)$")
_COMPARED = re.compile(r"\b(?:than|that)\b")
_QUESTION = re.compile(rf"^(?:{_ASKING}|{_VERBS_THAT_ASK})\b")


def _named(text: str) -> str:
    """A question about "it" after the thing was named, with the name in its place."""
    for pattern in _NAMED_FIRST:
        found = pattern.match(text)
        asking = _LISTENING.sub("", found[2]) if found is not None else ""
        if found is None or _TIME_NAME.search(found[1]) or _COMPARED.search(asking):
            continue
        if _QUESTION.match(asking) and _ITS.search(asking):
            return _ITS.sub(found[1], asking, count=1)
    return text


_CONTENTS = re.compile(
    r"^(?:(?:give me|provide|i need|make) )?(?:an? |the )?(?:(contents|inventory|stock list)(?: of| for)?|"
    r"list of (?:all |the )*(?:things|items|objects|stuff) (in|on))"
    rf" ({_KNOWN}(?:(?!\b(?:i|you|we|in|on|saw|seen|have|had|that|which)\b)[a-z' -])+?)( top)?$"
)
_HOLLOW = frozenset(
    "drawer box fridge refrigerator freezer cabinet wardrobe cupboard closet basket bag bin chest "
    "suitcase dishwasher microwave oven pantry".split()
)
"""Heads of names of what things are in rather than on."""


def _listed(text: str) -> str:
    """What a list is wanted of, as what is there: "what is on the desk"."""
    found = _CONTENTS.match(text)
    if found is None:
        return text
    words = words_of(found[3])
    inside = room_word(words) or bool(words and words[-1] in _HOLLOW)
    return f"what is {found[2] or ('in' if inside and not found[4] else 'on')} {found[3]}"


def reworded(text: str) -> str:
    """A question with its parts in the usual order.

    Args:
        text: Lower case, without a question mark.
    """
    text = _named(_LISTENING.sub("", text))
    for pattern, other in _REWORDED:
        text = pattern.sub(other, text)
    return _held(_listed(text))


def plainly(text: str) -> str:
    """A question in the plain words that the patterns below know.

    Args:
        text: Lower case, without a question mark.
    """
    for pattern, plainer in _PLAINER:
        text = pattern.sub(plainer, text)
    return re.sub(r"\s+", " ", text).strip(" ?!.,")
