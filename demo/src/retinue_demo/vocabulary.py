"""The names and sentences that the community is invented from; the names are words apart by white space."""

from __future__ import annotations

FIRST_NAMES = """
Aaliyah Adaeze Adrien Agnes Aiko Alejandra Amara Amina Anders Anika Anouk Arjun Asha Astrid Ayumi Beatriz Benedikt
Bilal Björn Bruna Callum Camila Carlos Chiara Chidi Clara Daniela Deniz Diego Ebba Eleni Elias Emeka Esther Eun-ji
Fatima Felix Fiona Freya Gabriel Gideon Giulia Hana Hassan Hedda Hiroshi Ibrahim Imani Ines Ingrid Isaac Ivana
Jakub Jamila Jing Jonas José Juno Kaito Kamala Karim Katya Keiko Kofi Lars Layla Leila Lena Liam Lin Lucía Mads
Maeve Malik Marcus Mariam Mateo Mei Mila Milan Minh Miriam Mohan Naledi Naoko Nia Nikhil Noah Nour Ola Olga Omar
Oskar Paloma Pedro Petra Priya Rafael Rania Ravi Rosa Ruth Sabine Samir Sanne Selma Shreya Simone Sofia Soren
Tahu Tariq Tess Théo Thu Tomasz Uma Valentina Vikram Wanjiru Wei Xavier Yara Yasmin Yuki Yusuf Zainab Zoë Zofia
"""

LAST_NAMES = """
Abara Adeyemi Ahmadi Almeida Andersen Aoki Bakker Banerjee Becker Bergström Bianchi Boateng Brennan Castillo Chen
Clarke Costa Cruz Dahl Delgado Demir Diallo Dubois Eriksen Espinoza Farah Fernández Fischer Flores Fontaine Fujita
Gallagher García Ghosh Greene Haddad Hansen Hashimoto Hernández Hoang Hughes Ibáñez Ivanova Iyer Jansen Jensen
Kamau Kapoor Karlsson Kaya Khan Kim Kimura Klein Kovács Kowalski Kruger Kumar Lambert Larsen Lefèvre Lind Lopes
Mbeki Mehta Meyer Mishra Mokoena Moreau Moretti Mori Murphy Nakamura Navarro Ndiaye Nguyen Nilsen Novak Nowak
Nwosu O'Brien Ødegård Okafor Okoye Oliveira Osei Park Patel Petrov Pham Quinn Rahman Ramos Reyes Ricci Rossi
Sánchez Santos Sato Schmidt Sharma Silva Singh Soto Suzuki Takeda Tanaka Torres Tran Usman Vargas Verma Vidal
Visser Wagner Walsh Watanabe Weber Wright Yamada Yilmaz Young Zhang Ziegler
"""

CIRCLES = {
    "Baking": [
        "Sourdough, slowly.",
        "Keeper of a nine-year-old starter called Gerald.",
        "Will trade rye for gossip.",
        "Up at four so you don’t have to be.",
        "Looking for the perfect cardamom bun.",
        "Pastry is geometry you can eat.",
        "Formerly an accountant, now covered in flour.",
        "I bring cake to meetings.",
    ],
    "Cycling": [
        "Two wheels, bad weather, good coffee.",
        "Repairs old steel frames in a cold garage.",
        "Twelve countries by bike so far.",
        "Slow up the hill, slower down it.",
        "Cargo bikes change cities.",
        "Night rides on Thursdays; come along.",
        "I brake for bakeries.",
        "Maps, mostly paper ones.",
    ],
    "Photography": [
        "Film, and the patience that goes with it.",
        "Portraits of people and their kitchens.",
        "Fog is the best filter.",
        "One roll of film a week.",
        "Street corners at six in the morning.",
        "Darkroom in the bathroom, sorry.",
        "I photograph bridges. All of them.",
        "Learning to wait for the light.",
    ],
    "Gardening": [
        "Too many tomatoes, please send jars.",
        "Allotment 14, the one with the pink shed.",
        "Bees, beans and a very old fig tree.",
        "Seed swaps every spring.",
        "Talks to ferns.",
        "Composting is a hobby; ask me anything.",
        "Growing a meadow on a balcony.",
        "Rain enthusiast.",
    ],
    "Astronomy": [
        "Waiting for a clear night since Tuesday.",
        "Built a telescope, then a shed around it.",
        "Variable stars and strong tea.",
        "Counts meteors, loses count.",
        "Dark-sky volunteer.",
        "The moon is nice too, you know.",
        "Shows strangers Saturn from the pavement.",
        "Radio astronomy on a student's budget.",
    ],
    "Choir": [
        "Second alto, first to arrive.",
        "Bass, in every sense.",
        "Sings in four languages, speaks two.",
        "Renaissance polyphony before breakfast.",
        "We need tenors. We always need tenors.",
        "Conducts with a chopstick.",
        "Sheet music hoarder.",
        "Shape-note singing on Sundays.",
    ],
    "Bouldering": [
        "Falls off small rocks for fun.",
        "Sets routes at the old tram depot.",
        "Chalk on everything I own.",
        "Weak fingers, strong opinions.",
        "Outside whenever it is dry.",
        "Physiotherapist; yes, I know about your shoulder.",
        "One pull-up and proud of it.",
        "Teaches beginners on Wednesdays.",
    ],
    "Letterpress": [
        "Prints posters on a press from 1911.",
        "Ink under the fingernails.",
        "Wood type collector; running out of drawers.",
        "Kerning is a love language.",
        "Small editions, large margins.",
        "Makes books that fit in a pocket.",
        "Still sends postcards.",
        "Looking for a lower-case g in 48 point.",
    ],
    "Chess": [
        "Plays the French and regrets it.",
        "Park tables, Saturdays, bring a clock.",
        "Endgames first, then lunch.",
        "Lost to a nine-year-old; learning from her now.",
        "Arbiter, father, terrible at blitz.",
        "Composes puzzles with too few pieces.",
        "A draw is a conversation that went well.",
        "Runs the library's chess club.",
    ],
    "Sailing": [
        "Wooden boats and the varnish they need.",
        "Crossed the North Sea; ate only biscuits.",
        "Knots, tides and weather charts.",
        "Harbour pilot on weekdays.",
        "Always one bilge pump short.",
        "Teaches children to capsize properly.",
        "Lives aboard, with a cat.",
        "Reads the sea and the small print.",
    ],
    "Robotics": [
        "Builds robots that water plants, mostly.",
        "Taught a toaster to say good morning.",
        "Solder, coffee, repeat.",
        "Repair café organiser.",
        "My printer prints printers.",
        "Makes small machines for big stages.",
        "Debugging a walking table.",
        "Teaches girls to weld.",
    ],
    "Birding": [
        "Up before the robins.",
        "Rings swifts, counts geese.",
        "Life list: 412, and one maybe.",
        "Owl boxes built to order.",
        "Knows every heron on the canal by temper.",
        "Records dawn choruses.",
        "Binoculars at weddings.",
        "Gulls are underrated.",
    ],
}
