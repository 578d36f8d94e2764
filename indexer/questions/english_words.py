"""Lists of English words that tell a subject from its predicate."""


def english_words(text: str) -> frozenset[str]:
    """The words of a list that is written with spaces and line breaks."""
    return frozenset(text.split())


AUXILIARIES = english_words(
    """
    do does did is are was were has have had can could will would should may might
    """
)
PRONOUNS = english_words(
    """
    i you he she it we they someone somebody anyone anybody everyone everybody something anything
    nobody nothing this that there
    """
)
PLURALS = english_words(
    """
    i you we they people children men women police kids cattle sheep these those geese mice feet
    both
    """
)
DETERMINERS = english_words(
    """
    the a an his her its their my our your this that these those some any every each no one two
    three another
    """
)
PREPOSITIONS = english_words(
    """
    in on at by near under over behind beside between with without inside outside above below
    from to of into onto next across along around through against off up down out before after
    during towards toward for
    """
)
NOT_PARTICIPLES = english_words(
    """
    building ceiling king ring wedding thing something anything nothing everything morning
    evening string wing spring clothing painting red bed shed bleed seed weed sled speed breed
    during swing railing icing frosting lettering awning bedding netting seating scaffolding paving
    flooring topping packaging hundred kindred sacred naked sibling duckling pudding
    """
)
PARTICIPLES = english_words(
    """
    beaten been being bent bitten blown bound broken brought built bought burnt caught chosen cut
    done drawn driven drunk dug eaten fallen fed felt flown fought found frozen given gone grown
    heard held hidden hit hung hurt kept known laid led left lit lost made met paid put read ridden
    risen run said seen sent set sewn shaken shot shown shut slept sold spilt split spoken spread
    stolen stood stuck sung swept swum swung taken taught thrown tied told torn upset used won worn
    woven written
    """
)
# Base forms of what people and things are seen to do in videos; nouns that are verbs too only where
# the verb is the commoner reading.
VERBS = english_words(
    """
    accept add adjust aim announce answer appear applaud apply approach argue arrange arrive ask
    assemble attach attack attempt bake balance bark bathe be beat become begin bend bite blink
    block blow board boil bounce bow break breathe bring brush build bump burn burst bury buy
    call carry carve cast catch celebrate change charge chase check cheer chew chop circle clap
    clean clear click climb close collapse collect collide comb combine come compete complete
    connect continue cook cough count cover crack crash crawl cross crouch cry cuddle cut dance
    deal decorate deliver demonstrate describe dig dip disappear discuss display dive do drag
    draw dress drift drill drink drip drive drop dry dunk eat embrace emerge empty end enter
    erupt escape examine exchange exit explain explode extend face fade fail fall fasten feed
    feel fetch fight fill finish fire fish fix flap flash flee flip float flow fly focus fold
    follow freeze fry gallop gather get give glide glow go grab grate graze greet grill grind
    grip grow growl hammer handle hand hang happen have hear help hide hit hold hop howl hug hunt
    hurry ignite inflate inspect insert install introduce iron jog join juggle jump keep kick
    kill kiss kneel knit knock know land laugh launch lay lead lean leap leave let lick lie lift
    light listen load lock look lose love lower make march mark measure meet melt mention merge
    miss mix mop move mow nod notice offer open operate order overtake pace pack paddle paint
    park pass pat pause pay peel peer perform pet pick plant play plug point polish pop pose
    pound pour practice pray prepare present press pretend prove pull pump punch push put raise
    reach react read receive record relax release remove repair repeat replace rescue rest return
    reveal ride ring rinse rise roar roll rotate row rub run rush sail salute say scatter score
    scratch scream scrub see sell send serve set sew shake share sharpen shave shine shoot shout
    shovel show shut sign sing sink sip sit skate sketch ski skip slam slap sleep slice slide
    slip smash smell smile smoke sneeze sniff snore snowboard soar speak spill spin spit splash
    split spray spread sprint sprinkle squat squeeze stack stand stare start stay steal step
    stick stir stop strap stretch strike stroke stroll struggle stumble surf surrender swallow
    sway sweep swim swing switch take talk tap taste teach tear tell test thank throw tie tilt
    toast toss touch tow trade train travel tremble trim trip try tumble turn twirl twist type
    unfold unlock unpack unroll unwrap use vacuum vanish visit wag wait wake walk wander want
    warm wash watch wave wear weave weigh weld whisper whistle win wink wipe work wrap wrestle
    write yawn yell zoom
    abandon arrest awaken bat beg browse chat confront cycle dribble enjoy evacuate evict forget
    graduate grasp groom guide hatch haul herd hike hover interview invade kidnap learn loiter lunge
    marry munch nap nibble nuzzle obey observe overflow peek phone plow poke protest
    race ram refuse remember rob search shear snuggle soothe speed steer study swirl tackle tag
    text tidy transport trespass undress unload vote wade warn water
    accelerate bleat bloom blossom buzz capsize chirp chuckle crumble darken devour doze drown
    evaporate flicker flutter forage frown germinate giggle glisten gnaw grin gush harden hibernate
    hiss knead leak meow moo neigh peck plummet pounce preen purr quack ripen scamper shatter
    shimmer shiver simmer sizzle skid slither smoulder sneak snooze solidify somersault sparkle spew
    sprout squeak swerve thaw topple trickle trot twinkle vibrate waddle weep whisk wilt wobble
    """
)
CATENATIVES = english_words(
    """
    help go come let make start try begin stop get have keep see hear watch feel be do want
    continue say read spell show
    """
)
ADVERBS = english_words(
    """
    first finally then suddenly slowly quickly actually really also ever just last again both all
    still already only
    """
)
ADJECTIVES = english_words(
    """
    open closed shut empty full alone asleep awake dark bright wet dry dead alive ready red green
    blue yellow black white clear cloudy crowded quiet loud angry happy sad sick old new hot cold
    warm clean dirty high low long short big small free busy broken still on off late early
    finished done naked bald barefoot orange purple pink brown gray grey young little large tall
    tiny huge
    """
)
"""What `is` says of a subject, where it is the last word."""
