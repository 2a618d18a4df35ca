"""
What the community writes about: sentences by circle, with choices in them.

``{a|b|c}`` is one of the three. `saying()` makes a post of them.
"""

from __future__ import annotations

import random
import re

_CHOICE = re.compile(r"\{([^{}]*)\}")

# How a post is made of the sentences; the rest is something that anybody may write.
_ABOUT_CIRCLE, _GOES_ON, _NEW_LINE = 0.82, 0.45, 0.25

CIRCLES = {
    "Baking": [
        "The {rye|spelt|wholemeal|seeded} loaf {rose like a balloon|came out flat as a map|is the best so far|is still warm} {today|this morning|at last}.",
        "{Butter|Cardamom|Cold dough|Patience} is the answer. I forget the question.",
        "Day {two|three|four|five} of the croissant project: {more layers|fewer tears|butter everywhere|finally a honeycomb}.",
        "Does anybody have a good recipe for {cinnamon knots|sour cherry cake|rye crackers|lemon tart|semla}?",
        "My starter {doubled in four hours|smells of apples|escaped its jar|survived the holiday}. I am {proud|worried|feeding it again}.",
        "{Forty|Sixty|Ninety} buns for the {school fair|neighbours|choir|chess club} by {noon|eight in the morning|tomorrow}. Send coffee.",
        "I weighed the {flour|salt|sugar} twice and still {forgot the yeast|got it wrong|made enough for two}.",
        "If you stop by before {nine|ten|noon}, there is {plum cake|cheese bread|apple pie|a tray of buns} on the windowsill.",
        "Oven at {230|240|250} degrees, window open, {radio|rain|football} on. A good {evening|Sunday|Friday}.",
    ],
    "Cycling": [
        "{Forty|Sixty|Eighty|A hundred} kilometres along the {river|coast|canal|old railway}, {headwind both ways|not one red light|three cafés}.",
        "A new {chain|saddle|bottom bracket|bell} changes everything. I said that about the last one, too.",
        "Night ride on {Thursday|Friday|Saturday}, {eight|nine} o'clock at the {bridge|station|fountain}. Bring lights.",
        "Found a {Peugeot|Raleigh|Bianchi|Motobécane} frame from the {seventies|eighties} next to the bins. It is mine now.",
        "Whoever put {gravel|glass|a sofa} on the {canal path|cycle lane|north bridge}: I have a spare tube and a grudge.",
        "The hill behind the {waterworks|quarry|hospital} is {eleven|twelve|fourteen} per cent. My legs say {thirty|no}.",
        "Does anybody have a {thirty-two spoke rim|square taper puller|child seat|pannier rack} to lend {this week|until Sunday}?",
        "Took the cargo bike to fetch {a fridge|two beanbags|my grandmother|eleven library books}. No problem at all.",
        "{Fog|Frost|Rain|Sun} on the way to work, and the whole {dyke|valley|towpath} to myself.",
    ],
    "Photography": [
        "Developed the roll from {March|the island|the wedding|last winter}: {thirty-five surprises|one good frame|a light leak, and I like it}.",
        "The {harbour|market|tram depot|swimming pool} at {six in the morning|blue hour|noon}, {empty|full of gulls|in fog}.",
        "Today's lesson: {take the lens cap off|wait ten minutes longer|talk to people first|go closer}.",
        "Looking for somebody with {an interesting kitchen|a workshop|very old hands|a rooftop} to sit for a portrait.",
        "The {50|35|85} mm stays on. I refuse to {think about it|carry more|change my mind}.",
        "Printed {large|small|on rice paper|in the bathroom} for the first time. {Grain is beautiful|Black is harder than it looks|My back hurts}.",
        "Bridge number {41|58|63|77}: {iron, 1884|concrete and proud of it|only for goats}.",
        "There is an exhibition at the {library|old mill|bus station} until {Sunday|the end of the month}. I hung {two|three} of mine.",
        "Light through {the laundry|a glass of tea|the blinds|wet leaves}. That was the whole {day|plan}.",
    ],
    "Gardening": [
        "{Seven|Twelve|Twenty} kilos of {tomatoes|courgettes|plums|beans}. Please bring {jars|bags|friends}.",
        "The {fig|quince|medlar|wisteria} that “never flowers” {flowers|has buds|made a liar of me}.",
        "Seed swap at the {allotments|library|church hall} on {Saturday|Sunday}. I have {sweet peas|purple beans|too many leeks}.",
        "{Slugs|Pigeons|The neighbour's cat|A fox}: {three|four|five}. Me: nil.",
        "Turned the compost and found {a spoon from 2019|two hedgehogs|steam|my good gloves}.",
        "First frost {tonight|tomorrow}, they say. The {dahlias|lemons|pelargoniums} sleep in the kitchen.",
        "Does anybody know what eats {chard|mint|rhubarb|hostas}? Something does, at night, {politely|with a ruler}.",
        "Planted {garlic|broad beans|a hundred tulips|an apple tree} today. See you in {April|May|five years}.",
        "It has rained for {three|four|nine} days and the {meadow|moss|water butt} has never looked better.",
    ],
    "Astronomy": [
        "Clear until {two|three|four}! {Saturn|Jupiter|The Orion nebula|Andromeda} like an illustration.",
        "Clouds. {Again.|Of course.|All night.|In every direction.}",
        "Showed {Saturn|the moon|a double star} to {eleven|twenty|forty} people on the {pavement|market square|school roof}. The gasp never gets old.",
        "Counted {nine|fourteen|thirty-one} meteors, then {fell asleep|a hedgehog came|my tea froze}.",
        "The {variable|comet|supernova} is down to magnitude {nine|eleven|twelve}. {Estimates welcome|Finder chart on request}.",
        "Somebody installed a {floodlight|blue street lamp} at the {car park|stadium}. I wrote a {polite|very polite} letter.",
        "Ground the mirror for {two|three} hours tonight. {A quarter wave to go|Do not ask|The test says: almost}.",
        "The space station passes at {18:42|19:07|20:31|21:15} tonight, west to east, very bright. Go and wave.",
        "Strong {tea|wind|opinions} at the {dark-sky meeting|observatory} tonight.",
    ],
    "Choir": [
        "{Tallis|Pärt|Brahms|Monteverdi} tonight. The {chord|pause|last page} in bar {27|43|58} is worth the bus fare.",
        "We need {tenors|two basses|anybody who can count to five}. {Cake provided|No audition|Ask me}.",
        "Concert on {Saturday|Sunday} at {five|six|seven} in {St Anne's|the old brewery|the swimming hall}. {Free|Pay what you like}.",
        "The altos had the tune for {four|eight} bars. We shall never be the same.",
        "Lost my {voice|pencil|place} in the {Gloria|second verse|repeat}. Found it in the {pub|Amen|coat room}.",
        "Learning the {Georgian|Estonian|Bulgarian|Latin} text by ear, on the {bus|stairs|way to work}. People move away politely.",
        "Our conductor said {“that was nearly music”|“again, but together”|“smile with your vowels”}. {I live for this|Harsh but fair}.",
        "{Warm tea|Honey|A scarf|Silence} until Thursday. Doctor's orders, and the soprano section's.",
        "Sang in the {stairwell|tunnel under the ring road|empty cistern} after rehearsal. {Eleven|Seven} seconds of echo.",
    ],
    "Bouldering": [
        "The {purple|green|yellow|black} one in the corner went down on try {three|nine|twenty-six}. I am {invincible|very tired|going home}.",
        "New set at the {tram depot|cellar|warehouse}: {slab for days|all slopers, sorry|one dyno for the tall people}.",
        "Skin: {gone|two per cent|a memory}. Mood: {excellent|unreasonable|let's go again}.",
        "Dry rock this {weekend|Sunday}? I have {two pads|a car|sandwiches} and {three|two} free seats.",
        "Beginners' {evening|hour} on Wednesday. We start with {falling|warming up|tea}, as one should.",
        "It was {the left foot|not the fingers|the other beta} all along.",
        "Found my chalk brush in {the fridge|my other coat|the dog's basket}. No questions.",
        "Rest day. I {stretched|cleaned my shoes|watched others on the phone|carried a wardrobe upstairs}.",
        "Somebody's {seven|nine|sixty-eight}-year-old {daughter|grandmother|neighbour} flashed my project. {I clapped|Good}.",
    ],
    "Letterpress": [
        "{Sixty|Eighty|Two hundred} posters, two colours, {one misprint|no misprints|ink to the elbows}.",
        "I need a lower-case {g|k|w|ß} in {36|48|60} point. I would trade {a Q|ornaments|cake}.",
        "The press {squeaks|hums|sulks} when it rains. So do I.",
        "{Red|Ochre|Blue|A very dark green} on {grey board|cream paper|tissue}. That is the whole idea, and it is enough.",
        "Sorted the {Garamond|Futura|Clarendon|Caslon} drawer. It took {all of Sunday|three pots of tea|a podcast about salt}.",
        "Open workshop on {Friday|Saturday} from {two|three} o'clock. Print your own {card|bookplate|bad joke}.",
        "The {ampersand|question mark|long s} is the most beautiful sort in the case. I will not discuss it.",
        "Printed the {menu|wedding|manifesto} with a typo in {the name|line one|the date}. Everybody {loves it|is kind}.",
        "Margins. {Larger.|More.|Larger still.}",
    ],
    "Chess": [
        "Lost in {17|23|61} moves with the {French|Caro-Kann|London|Dutch}. I shall {play it again|tell nobody|blame the clock}.",
        "Park tables, {Saturday|Sunday}, {two|three} o'clock. Bring {a clock|gloves|cake}.",
        "White to move and {win|draw|feel clever}: it is the {rook|quiet king move|underpromotion}.",
        "The library club has {twelve|nineteen|twenty-four} children now. {Three|Two|Most} of them beat me.",
        "Rook endings: {always a draw|never a draw|read one page a day}.",
        "Offered a draw in a won position, because {the tea was ready|he smiled|my bus came}.",
        "Blitz at the {café|kiosk|barber's} until midnight. {Rating: unmentionable|I have no regrets|One regret, on h7}.",
        "My new puzzle has {five|six|seven} pieces and {one|no|two} solutions. {Help.|Try it.|Work in progress.}",
        "She said “interesting move”. It was {not|mate in three}.",
    ],
    "Sailing": [
        "{Force five|Force six|Flat calm}, {one reef|two reefs|all the biscuits gone}, home by {dusk|breakfast|Tuesday}.",
        "Varnish, coat number {four|six|nine}. The {gnats|dust|cat} liked it as well.",
        "The bilge pump works! {For now.|I checked twice.|It is the other one that leaks.}",
        "Space for {one|two} on the trip to the {islands|lighthouse|north pier} on {Saturday|Sunday}. Bring a jumper.",
        "Taught {eight|twelve} children to capsize. {All of them|Eleven} enjoyed it.",
        "A seal followed us from the {breakwater|second buoy|pilot station} to the {harbour|fuel dock}. We did not deserve it.",
        "Knot of the week: the {rolling hitch|carrick bend|one that I cannot undo}.",
        "Low water at {05:40|06:15|07:02}. I will be the one {stuck in the mud|with the lead line|scraping}.",
        "The new {mainsail|anchor|kettle} arrived. It is {beautiful|a size too big|the best thing on board}.",
    ],
    "Robotics": [
        "The {walking table|plant robot|toaster} took {four|eleven|its first} steps, then {sat down|waved|met the cat}.",
        "It was the {ground wire|loose connector|minus sign|battery}. It is always the {ground wire|minus sign|cable}.",
        "Repair café on {Thursday|Saturday}: {lamps, toasters, radios|bring the broken thing|we fix, you stir the soup}.",
        "Soldered {forty|ninety} joints under the microscope. {Three|Two|None} of them were cold.",
        "Does anybody have a spare {stepper driver|servo|logic analyser|metre of silicone wire}?",
        "Printed {gears|a hinge|feet|a printer part} all night. The kitchen smells of {maize|progress|hot plastic}.",
        "My {line follower|arm|drummer} is faster than {my brother's|last year's|the cat}.",
        "The students built a machine that {claps|pours tea|sorts buttons|draws circles}. Nobody told them it was hard.",
        "Firmware {0.9|1.2|2.0}: fewer {bugs|features|excuses}.",
    ],
    "Birding": [
        "{Redwings|Waxwings|Cranes|Swifts} over the {park|ring road|canal} at {06:20|dawn|dusk}, {forty|two hundred|too many to count}.",
        "A {kingfisher|bittern|wryneck|firecrest}! {Eight|Two} metres away! I had the {sandwich|phone|wrong lens} in my hand.",
        "The heron by the {lock|boathouse|mill} is in a mood {again|today}.",
        "Dawn chorus walk on {Saturday|Sunday}, {four|half past four} at the {gate|car park}. Yes, in the morning.",
        "Owl box number {nine|eleven|thirteen} is taken. {Five|Three} eggs and one stare.",
        "Gull {school|workshop|hour}: third winter, {or second|or not|look at the legs}.",
        "Life list: {413|414, perhaps|388|201}. The {pipit|warbler} counts. I have decided.",
        "The {blackbird|wren|robin} outside my window has learnt the {ringtone|reversing lorry|first bar of something}.",
        "Ringed {sixty|ninety-one} {siskins|reed warblers|tits} before breakfast. All of them {bit me|were polite}.",
    ],
}

GOES_ON = [
    "More {tomorrow|soon|after lunch}.",
    "Pictures {when I find the cable|tomorrow|in my head}.",
    "Who is {in|with me|coming along}?",
    "I am {still smiling|so happy|not even sorry}.",
    "Thanks to everybody who {came|helped|carried things|wrote back}.",
    "{Opinions|Advice|Corrections|Volunteers} welcome.",
    "{Small|Strange|Good} day.",
    "That is all. {Carry on.|Good night.|As you were.}",
    "My {mother|neighbour|flatmate|boss} is {not convinced|impressed|asking questions}.",
    "Next time {with gloves|earlier|in company|slower}.",
    "Worth it.",
    "{Ask me anything|Tell me yours|You had to be there}.",
]

ANYTHING = [
    "Good morning to {everybody|the early ones|those on the tram}, {and to the cat on bus 12|and that is it|tea is ready}.",
    "Book of the {week|month}: something about {rivers|lichen|maps|salt|bells}. Better than it sounds.",
    "{Soup|Laundry|A long walk|Silence} for the rest of the day.",
    "Does anybody have a {ladder|sewing machine|big pot|trumpet} to lend {until Monday|this week|for an hour}?",
    "Lost: one {blue|grey|striped} {glove|umbrella|scarf} near the {library|station|market}. Found: {three|two} of other people's.",
    "New here? Say hello. I reply to {everything|most things|questions about my hobby, at length}.",
    "The lift is out of order. I live on the {fifth|sixth|ninth} floor. I have learnt to plan.",
    "Overheard at the {market|baker's|bus stop}: “{It depends on the goat|He never was a Tuesday person|I only came for the lid|Not with that spoon}.”",
    "I said yes to too many things. They are all {good|this Saturday|cake}.",
    "{Three|Four|Ten} years in this town {today|this week}. Thank you for having me.",
    "Today I learnt that {otters|crows|octopuses|bees} hold {hands|grudges|meetings|parties}.",
    "Whoever returned my {bike lock|notebook|casserole}: thank you, whoever you are.",
]


def saying(circle: str, chance: random.Random) -> str:
    """Return a post of somebody of that *circle*, drawn with *chance*."""
    text = _drawn(CIRCLES[circle] if chance.random() < _ABOUT_CIRCLE else ANYTHING, chance)
    if chance.random() < _GOES_ON:
        text += ("\n\n" if chance.random() < _NEW_LINE else " ") + _drawn(GOES_ON, chance)
    return text


def _drawn(sentences: list[str], chance: random.Random) -> str:
    return _CHOICE.sub(lambda found: chance.choice(found[1].split("|")), chance.choice(sentences))
