"""What things are for: activities, in several ways of saying them, and the things that serve.

General knowledge of homes, offices and public places, written by hand. Many of the activities
need things a given house will not have: a need that is nearest to one of those is refused, and
not answered with whatever resembles it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Affordance:
    """One activity.

    Attributes:
        phrases: Ways of saying what one wants to do.
        things: What serves it, best first.
        rooms: Kinds of rooms that serve it, where one is meant.
    """

    phrases: tuple[str, ...]
    things: tuple[str, ...]
    rooms: tuple[str, ...] = ()


def _for(phrases: str, things: str, rooms: str = "") -> Affordance:
    return Affordance(
        tuple(phrases.split("; ")), tuple(things.split(", ")), tuple(rooms.split(", ") if rooms else ())
    )  # fmt: skip


AFFORDANCES = (
    _for("wash my hands; clean my hands; rinse my fingers; wash up before eating; get dirt off my hands; soap and water; "
         "brush my teeth; wash my face; freshen up; get rid of sticky fingers",
         "washbasin, sink, bathroom sink, kitchen sink, faucet, basin"),
    _for("sleep; take a nap; lie down; go to bed; spend the night; rest for the night; doze off; have a good night's rest; "
         "I am tired; get some shut-eye; stretch out and sleep",
         "bed, couch, sofa, mattress, daybed, cot, recliner"),
    _for("keep food cold; chill a drink; keep milk fresh; cool beverages; store groceries that spoil; keep perishables from going off; get a cold drink; "
         "keep things cool; put the butter so it does not melt; make ice cubes",
         "refrigerator, fridge, freezer, mini fridge, wine cooler"),
    _for("cook a meal; fry an egg; boil pasta; heat up a pan; make dinner; prepare hot food; simmer soup; make an omelette; cook on; "
         "something hot to put a pot on",
         "stove, oven, cooktop, hob, range, hotplate"),
    _for("bake a cake; roast a chicken; bake bread; bake cookies", "oven, stove, range"),
    _for("take a bath; have a long soak; bubble bath; bathe the baby; relax in hot water; bathe; soak in the tub; soak my tired body",
         "bathtub, tub, bath, hot tub"),
    _for("take a shower; rinse my whole body; shower after sport", "shower, shower head, bathtub"),
    _for("make a phone call; call someone; dial a number; ring my mother; phone the doctor; talk to someone far away; call for help by voice; contact the office by voice",
         "telephone, phone, landline, mobile phone, intercom"),
    _for("get something to read; where books are kept; put my novel away; borrow a book; shelve books; find a novel; store books; browse some literature; where paperbacks go",
         "bookshelf, bookcase, book rack, shelf, books, book, magazine rack"),
    _for("put away my clothes; hang up my jacket; where clothes are kept; store shirts; hang my dresses; put my coat; keep garments; a home for my trousers and shirts; something to hang a suit in",
         "wardrobe, closet, dresser, chest of drawers, coat rack, clothes rail, coat hook"),
    _for("throw dirty laundry; drop worn socks; leave clothes that need washing; collect the washing; put dirty clothes; where used shirts go before they are washed; get rid of my sweaty t-shirt; dirty underwear",
         "laundry basket, hamper, laundry hamper"),
    _for("wash my clothes; do the laundry by machine; launder shirts; clean clothes in a machine", "washing machine, washer"),
    _for("dry the laundry; tumble dry clothes; hang wet washing", "dryer, clothes dryer, drying rack, clothesline"),
    _for("iron a shirt; press trousers; get creases out of clothes", "ironing board, iron"),
    _for("wake me up in the morning; something that gets me up at seven; tell the time by the bed; ring to wake me; set an alarm; not oversleep; see what time it is at night; get me out of bed on time",
         "alarm clock, clock radio, clock"),
    _for("tell the time; see what time it is; know the hour", "clock, wall clock, alarm clock, wristwatch"),
    _for("make hot water for tea; boil water; brew tea; brew up; get water boiling; make a cup of tea; heat water for an instant soup; make a hot beverage",
         "kettle, teapot, stove"),
    _for("make coffee; brew an espresso; get a coffee", "coffee maker, coffee machine, espresso machine, kettle"),
    _for("watch a show; watch the news; see a movie; watch a film; look at television; follow the football match on screen; a screen for series; binge a series; watch sport from home",
         "tv, television, tv screen, projector screen, projector, laptop, monitor, computer, tablet"),
    _for("dry my hands; dry myself off; rub myself dry; get dry after a bath; wipe water off my skin; soft cloth to dry with; towel off; dry my hair with a cloth",
         "towel, bath towel, hand towel, bathrobe, hair dryer"),
    _for("use the toilet; go to the loo; the WC; the restroom; relieve myself; pee; answer nature's call; the lavatory; the ladies' room; the bathroom for a pee; spend a penny; the gents; powder room",
         "toilet, urinal, wc", "bathroom"),
    _for("sit down; take a seat; rest my legs; have a seat; something to sit on; take the weight off my feet", "chair, armchair, couch, sofa, bench, stool, office chair, ottoman"),
    _for("relax in the evening; put my feet up; lounge with friends; a cosy seat; cuddle up with a blanket", "couch, sofa, armchair, recliner"),
    _for("work at a desk; write a letter; do my homework; do paperwork; study; sit and write", "desk, writing desk, table, dining table", "office"),
    _for("use a computer; check my email; browse the internet; type a document; send an email; write code; do online banking", "laptop, computer, desktop computer, monitor, tablet"),
    _for("print a document; make a paper copy; scan a page", "printer, copier, scanner"),
    _for("file documents; keep folders; put away paperwork; archive invoices; store files", "filing cabinet, file cabinet, cabinet, drawer"),
    _for("eat dinner with guests; have a family meal; dine; set the table; eat at; host a dinner party", "dining table, kitchen table, table", "dining room"),
    _for("have breakfast; eat a quick snack; sit and eat", "kitchen table, dining table, kitchen counter, table"),
    _for("drink from; have a coffee from; pour my tea into; a vessel for a hot drink; sip a drink", "mug, cup, glass, tea cup, water glass"),
    _for("eat a healthy snack; have some fruit; get an apple; something to eat; I am hungry; grab a bite", "fruit bowl, fruit, bowl of fruit, plate of food, refrigerator"),
    _for("quench my thirst; I am thirsty; get a drink of water", "water cooler, sink, faucet, water bottle, bottle, refrigerator, kitchen sink"),
    _for("light to read by; brighten the room; switch on some light; see in the dark; something that gives light", "floor lamp, lamp, table lamp, light, flashlight, candle"),
    _for("romantic light; light with a flame; scented flame; celebrate by candle light", "candle, candlestick, candle holder"),
    _for("control the tv; change the channel; turn up the volume; switch programmes from the sofa", "remote control, remote"),
    _for("play football; kick around; something to kick; play a ball game with the children", "soccer ball, ball, football"),
    _for("a toy for the bath; something that floats for a child; entertain a baby in the tub", "rubber duck, bath toy, toy"),
    _for("something for a child to cuddle; a soft toy; comfort a toddler", "teddy bear, stuffed animal, soft toy"),
    _for("rest my head on; support my neck in bed; something soft for my head", "pillow, cushion"),
    _for("keep warm in bed; something to cover myself with; snuggle under", "blanket, comforter, duvet"),
    _for("display the good china; keep the fine plates; store crockery; put glasses away; where the dishes are kept", "china cabinet, cupboard, kitchen cabinet, sideboard, dish rack"),
    _for("chop vegetables; prepare food; roll out dough; a surface to cut on", "kitchen counter, counter, countertop, cutting board, kitchen table"),
    _for("wash the dishes by machine; clean dirty plates", "dishwasher, sink, kitchen sink"),
    _for("warm up leftovers quickly; heat a ready meal; make popcorn", "microwave, microwave oven"),
    _for("toast bread; make toast", "toaster, toaster oven"),
    _for("put down my drink; rest a cup while on the couch; put magazines", "coffee table, side table, end table"),
    _for("put my glasses and book by the bed; something to keep beside the bed", "nightstand, bedside table"),
    _for("pack for a trip; travel with my clothes; carry luggage; go on holiday with", "suitcase, travel bag, backpack"),
    _for("carry my things on my back; hike with; take my school books", "backpack, rucksack, bag"),
    _for("repair things; fix a loose screw; tools for repairs; hammer a nail; mend something broken", "toolbox, tool, workbench, hammer, screwdriver, drill"),
    _for("listen to music; hear the news by ear; listen to a broadcast; some music", "radio, stereo, speaker, record player"),
    _for("put flowers in water; something for a bouquet", "vase, flower vase"),
    _for("water something green; greenery; something alive that needs watering; smell some leaves", "plant, potted plant, flower, houseplant"),
    _for("send a parcel; pack things for moving; store odds and ends; ship an item", "cardboard box, box, storage box"),
    _for("a birthday surprise; something wrapped; unwrap", "gift, present"),
    _for("look at myself; check my hair; see my reflection; shave; put on make-up", "mirror"),
    _for("throw away rubbish; get rid of garbage; put waste paper; bin something", "trash can, trashcan, waste basket, bin, recycling bin"),
    _for("weigh myself; check my weight", "scale, bathroom scale"),
    _for("leave the house; go outside; get out; exit", "front door, door, exit"),
    _for("hang a wet umbrella; put my umbrella", "umbrella stand"),
    _for("wipe my shoes; clean my boots before entering", "doormat"),
    _for("go upstairs; get to the next floor; climb to the first floor", "stairs, staircase, elevator, lift"),
    _for("swim; go for a swim; do some laps; dive in; a pool to swim in; splash about in a pool; swim lengths", "swimming pool, pool"),
    _for("play the piano; an instrument with black and white keys; play a sonata; practise scales; tickle the ivories", "piano, grand piano, keyboard instrument"),
    _for("play guitar; strum a song; make music on strings", "guitar, violin"),
    _for("park my car; leave a vehicle; park a van; garage for the car; put the car; leave my motorbike overnight", "garage, parking lot, driveway, car"),
    _for("put out a fire; something to use if the house burns; fight flames; if a fire breaks out; emergency when something is burning; extinguish a blaze; in case of fire", "fire extinguisher, fire blanket, fire hose"),
    _for("board a flight; catch a plane; take off by aeroplane; where planes land; fly to another country; check in for my flight; an airport", "airport gate, airplane, runway"),
    _for("pray; kneel before an altar; attend mass; church pews; go to a service; worship; light a candle for a saint; confess my sins", "altar, pew, church, chapel"),
    _for("catch a train; wait for a train; take the underground", "train, platform, railway station"),
    _for("take a bus; wait for the bus", "bus stop, bus"),
    _for("exercise; work out; lift weights; run indoors; do some fitness training", "treadmill, dumbbell, exercise machine, exercise bike, weights, yoga mat", "gym"),
    _for("play pool; shoot some billiards", "pool table, billiard table"),
    _for("play table tennis; play ping pong", "ping pong table"),
    _for("play darts; play an arcade game; play a board game", "dart board, arcade machine, board game"),
    _for("barbecue; grill sausages; cook outdoors", "grill, barbecue"),
    _for("warm myself by a fire; burn logs; roast marshmallows; sit by an open fire", "fireplace, wood stove, fire pit"),
    _for("ride around town on two wheels; cycle to work", "bicycle, bike"),
    _for("reach a high shelf; climb up to change a bulb; get onto the roof", "ladder, step stool, step ladder"),
    _for("clean the carpet; vacuum the floor; suck up dust", "vacuum cleaner"),
    _for("mop the floor; sweep up crumbs", "mop, broom, dustpan, bucket"),
    _for("treat a wound; bandage a cut; first aid; take a painkiller", "first aid kit, medicine cabinet"),
    _for("see a doctor; get surgery; a hospital bed; get an x-ray", "hospital, examination table"),
    _for("buy groceries; pay at a till; go shopping; buy a newspaper", "shop, supermarket, cash register, vending machine"),
    _for("get cash; withdraw money; exchange currency", "atm, cash machine, bank"),
    _for("mail a letter; post a parcel; buy stamps", "mailbox, post office, letter box"),
    _for("feed the fish; look at tropical fish", "aquarium, fish tank"),
    _for("keep a parrot; listen to a canary", "birdcage"),
    _for("put the baby to sleep; rock an infant; change a diaper", "crib, cradle, cot, changing table"),
    _for("push someone who can't walk; roll a patient", "wheelchair"),
    _for("surf a wave; go sailing; row a boat; ski down a slope; ice skate", "surfboard, boat, skis, skates"),
    _for("sunbathe; sit in the sun; eat outside; have a drink on the terrace; get fresh air; plant tomatoes; mow the lawn", "deck chair, patio table, lounge chair, garden, lawn, balcony", "outdoor area"),
    _for("sweat in hot air; sauna; get a massage", "sauna, massage table"),
    _for("look at the stars; observe planets", "telescope"),
    _for("find a country on a map; spin the earth; learn geography", "globe, map, atlas"),
    _for("give a presentation; hold a meeting; write on a board; show slides", "whiteboard, projector, conference table", "meeting room"),
    _for("watch a play; sit in the audience; see an opera; listen to a live orchestra", "stage, theater seat"),
    _for("ride a horse; feed chickens; milk a cow", "stable, horse, barn"),
    _for("charge my car; fill up with petrol; pump up a tyre", "charging station, petrol pump"),
    _for("charge my phone; plug in a device; find electricity", "socket, power outlet, charger"),
    _for("keep valuables safe; lock away jewellery", "safe"),
    _for("store wine; open a bottle of wine; have a glass of wine; have a beer at a bar", "wine rack, wine bottle, bottle, bar"),
    _for("sew a button; stitch a dress", "sewing machine"),
    _for("paint a picture; draw a sketch; do pottery", "easel, potter's wheel"),
    _for("cut my hair; get a haircut; have my nails done", "barber chair, salon"),
    _for("cool down on a hot day; some fresh breeze; cold air", "fan, air conditioner"),
    _for("warm up the room; heat the house; I am cold", "radiator, heater, fireplace"),
    _for("launch a rocket; fly a helicopter; drive a tractor; hop on a ferry", "rocket, helicopter, tractor, ferry"),
    _for("bury someone; visit a grave", "grave, cemetery"),
    _for("look out at the street; see what the weather is like; air the room", "window"),
    _for("block the sunlight; darken the room", "curtain, blinds"),
)  # fmt: skip
