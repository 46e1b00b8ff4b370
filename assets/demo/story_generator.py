"""Seeded short stories and small talk: text with real branching, so that a drafter's marginals are flat.

Every line is drawn from grammars in this file; nothing is read from elsewhere.
"""

import random

NAMES = "Mia Tom Lena Omar Yuki Ana Ben Ravi Nora Sam Ida Kofi Elsa Leo Zara Finn Maya Hugo Aya Paul".split()
ANIMALS = ["fox", "owl", "rabbit", "turtle", "crow", "hedgehog", "cat", "goat", "otter", "mouse", "bear", "heron"]
PLACES = ["the old mill", "the harbour", "a quiet forest", "the top of the hill", "the market square", "a long beach",
          "the library", "an orchard", "the railway bridge", "a garden behind the school", "the lighthouse", "a cave"]
THINGS = ["a brass key", "a red kite", "a torn map", "a small lantern", "a silver bell", "a wooden boat", "a letter",
          "a blue scarf", "a box of seeds", "an umbrella", "a broken clock", "a jar of honey"]
WEATHER = ["It was a bright morning", "The rain had just stopped", "A cold wind blew", "Snow lay on the roofs",
           "The sun was going down", "Fog covered everything", "It was the hottest day of the year"]
FEELINGS = ["happy", "tired", "curious", "a little afraid", "proud", "hungry", "surprised", "calm", "lonely", "brave"]
ACTIONS = ["walked slowly", "ran as fast as possible", "sat down to think", "climbed over the fence", "sang a song",
           "looked around", "waited for an hour", "knocked on every door", "drew a plan in the sand", "laughed"]
PROBLEMS = ["the bridge was gone", "nobody knew the way", "the door was locked", "the boat had a hole",
            "the lantern would not burn", "the map was upside down", "the path was full of thorns",
            "someone had taken the bread", "the river was too wide"]
HELP = ["shared some bread", "held up a light", "knew a shorter path", "found a rope", "told an old story",
        "carried the heavy bag", "asked a simple question", "built a raft out of branches", "stayed until morning"]
LESSONS = ["that asking is better than guessing", "that small steps count", "to listen before speaking",
           "that friends are worth more than gold", "to bring a lantern next time", "that maps can be wrong",
           "to share what they had", "that the long way can be the good way"]
FOODS = ["soup", "rice with beans", "pancakes", "noodles", "apple pie", "dumplings", "bread with cheese", "curry"]
HOBBIES = ["painting", "chess", "running", "the guitar", "gardening", "reading", "baking", "swimming", "birdwatching"]
CITIES = ["Lisbon", "Kyoto", "Oslo", "Nairobi", "Lima", "Toronto", "Cairo", "Vienna", "Hanoi", "Dublin"]


def story(rng: random.Random) -> tuple[str, str]:
    """One prompt and a story of 5 to 9 sentences."""
    hero, friend = rng.sample(NAMES, 2)
    animal, place, thing = rng.choice(ANIMALS), rng.choice(PLACES), rng.choice(THINGS)
    prompt = rng.choice([
        f"Write a short story about {hero} and a {animal}.",
        f"Tell me a story in which {hero} finds {thing}.",
        f"Please tell a short story that happens at {place}.",
        f"Write a story about a {animal} who is {rng.choice(FEELINGS)}.",
        f"Tell a bedtime story with {hero}, {friend} and {thing}.",
    ])
    lines = [f"{rng.choice(WEATHER)} when {hero} {rng.choice(['came to', 'left', 'reached', 'went back to'])} {place}."]
    lines.append(rng.choice([
        f"There {hero} found {thing}, half hidden under the leaves.",
        f"A {animal} was waiting there with {thing}.",
        f"{hero} carried {thing} and felt {rng.choice(FEELINGS)}.",
    ]))
    for _ in range(rng.randint(1, 3)):
        who = rng.choice([hero, friend, f"The {animal}"])
        lines.append(rng.choice([
            f"{who} {rng.choice(ACTIONS)} and {rng.choice(ACTIONS)}.",
            f"{who} felt {rng.choice(FEELINGS)}, because {rng.choice(PROBLEMS)}.",
            f'"{rng.choice(["Where are we going", "Do you hear that", "What shall we do now", "Is it far"])}?" asked {who}.',
            f'"{rng.choice(["Do not worry", "Follow me", "Let us wait", "I have an idea"])}," said {who}.',
        ]))
    lines.append(f"But {rng.choice(PROBLEMS)}, and {rng.choice([hero, friend])} {rng.choice(ACTIONS)}.")
    lines.append(f"Then {rng.choice([friend, f'the {animal}'])} {rng.choice(HELP)}.")
    lines.append(rng.choice([
        f"In the end they went home and ate {rng.choice(FOODS)}.",
        f"From that day on {hero} and the {animal} were friends.",
        f"When night fell, {hero} was {rng.choice(FEELINGS)} and {rng.choice(FEELINGS)}.",
    ]))
    lines.append(f"{hero} had learned {rng.choice(LESSONS)}.")
    return prompt, " ".join(lines)


def chat(rng: random.Random) -> tuple[str, str]:
    """One question of small talk and a short answer."""
    name, food, hobby, city, animal = (rng.choice(v) for v in (NAMES, FOODS, HOBBIES, CITIES, ANIMALS))
    pairs = [
        (f"Hello, my name is {name}.", [f"Hello {name}! How can I help you today?",
                                       f"Nice to meet you, {name}. What would you like to talk about?"]),
        (f"What should I cook tonight? I like {food}.",
         [f"How about {food} with a green salad? It takes about {rng.choice([20, 30, 40])} minutes.",
          f"If you like {food}, try {rng.choice(FOODS)} as well. Both are easy to make."]),
        (f"I want to start with {hobby}. Any advice?",
         [f"Start small: {rng.choice([10, 15, 20, 30])} minutes of {hobby} a day is enough at first.",
          f"Find a friend who likes {hobby} too, and do not give up after the first week."]),
        (f"Tell me something about {city}.",
         [f"{city} is a city that many people like to visit. The best time to go is {rng.choice(['spring', 'autumn', 'summer'])}.",
          f"In {city} you can walk for hours, eat {food} and watch the people."]),
        (f"What is the opposite of {(w := rng.choice(['hot', 'big', 'early', 'loud', 'heavy', 'fast']))}?",
         ["The opposite of {} is {}.".format(w, dict(hot="cold", big="small", early="late", loud="quiet",
                                                    heavy="light", fast="slow")[w])]),
        (f"Why do people like a {animal}?",
         [f"Many people think that a {animal} is {rng.choice(['clever', 'funny', 'gentle', 'beautiful', 'shy'])}.",
          f"A {animal} is {rng.choice(['quiet', 'curious', 'quick'])}, and that makes people smile."]),
        ("I had a bad day.", ["I am sorry to hear that. Do you want to tell me what happened?",
                              "That sounds hard. Take a walk, drink some tea and rest a little."]),
        (f"Count from {(a := rng.randint(1, 20))} to {(b := a + rng.randint(4, 12))}.",
         [", ".join(str(i) for i in range(a, b + 1)) + "."]),
        (f"Can you list {(k := rng.randint(3, 5))} animals?",
         [f"Of course: {', '.join(rng.sample(ANIMALS, k))}."]),
    ]
    prompt, answers = rng.choice(pairs)
    return prompt, rng.choice(answers)


def arithmetic(rng: random.Random) -> tuple[str, str]:
    """One word problem with a fully determined answer: the peaked end of the range."""
    name, thing = rng.choice(NAMES), rng.choice(["apples", "books", "coins", "stamps", "shells", "pencils"])
    a, b, c = rng.randint(2, 60), rng.randint(2, 40), rng.randint(2, 9)
    if rng.random() < 0.5:
        return (f"{name} has {a} {thing} and buys {b} more. Then {name} gets {c} times as many. How many {thing} are there?",
                f"{name} has {a} + {b} = {a + b} {thing}.\nThen there are {a + b} * {c} = {(a + b) * c} {thing}.\n"
                f"The answer is {(a + b) * c}.")
    return (f"{name} packs {c} boxes with {a} {thing} each and gives away {min(b, a * c)}. How many {thing} are left?",
            f"{name} packs {c} * {a} = {c * a} {thing}.\nAfter giving away {min(b, a * c)} there are {c * a} - "
            f"{min(b, a * c)} = {c * a - min(b, a * c)} {thing} left.\nThe answer is {c * a - min(b, a * c)}.")
