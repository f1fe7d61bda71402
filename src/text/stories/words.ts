/** @file The world of the stories: who lives there, what things are made of, what one does where. */

export const GIRLS = [
  'Lily',
  'Mia',
  'Anna',
  'Sara',
  'Emma',
  'Rosie',
  'Nora',
  'Ella',
  'Zoe',
  'Ruby',
  'Clara',
  'Ivy',
  'Lucy',
  'Molly',
  'Alice',
  'Hazel',
  'June',
  'Kate',
  'Tess',
  'Maya',
  'Jane',
  'Lola',
  'Nina',
  'Polly',
  'Rita',
  'Tara',
  'Vera',
  'Wendy',
];
export const BOYS = [
  'Tom',
  'Ben',
  'Max',
  'Sam',
  'Leo',
  'Jack',
  'Tim',
  'Finn',
  'Oscar',
  'Hugo',
  'Noah',
  'Eli',
  'Adam',
  'Felix',
  'George',
  'Henry',
  'Luke',
  'Peter',
  'Theo',
  'Will',
  'Carl',
  'David',
  'Fred',
  'Gus',
  'Ian',
  'Karl',
  'Otto',
  'Paul',
];
export const CHILDREN = [...GIRLS, ...BOYS];

/** People one meets on the way. */
export const STRANGERS = [
  'farmer',
  'baker',
  'painter',
  'teacher',
  'doctor',
  'sailor',
  'king',
  'queen',
  'singer',
  'dancer',
  'miller',
  'hunter',
  'cook',
  'driver',
  'postman',
  'shepherd',
];

export const WOMEN = ['Mom', 'Grandma', 'Aunt May'];
export const MEN = ['Dad', 'Grandpa', 'Uncle Joe'];
export const ADULTS = [...WOMEN, ...MEN];

/** Names for animals that become friends. */
export const PET_NAMES = [
  'Biscuit',
  'Coco',
  'Pepper',
  'Sunny',
  'Button',
  'Daisy',
  'Fluffy',
  'Lucky',
  'Milo',
  'Peanut',
  'Toffee',
  'Pip',
  'Rusty',
  'Bingo',
  'Ginger',
  'Patches',
  'Waffle',
  'Buddy',
];

export const COLOURS = [
  'red',
  'blue',
  'green',
  'yellow',
  'purple',
  'white',
  'black',
  'pink',
  'brown',
  'golden',
  'silver',
  'grey',
  'violet',
  'striped',
  'spotted',
];
/** Words for how a toy looks. */
export const LOOKS = [
  'shiny',
  'pretty',
  'lovely',
  'new',
  'fine',
  'funny',
  'strange',
  'plain',
  'beautiful',
  'round',
  'simple',
  'rare',
  'magic',
  'special',
];
export const HOMES = ['house', 'town', 'village', 'cottage', 'hut', 'street', 'tower', 'castle'];
export const NEAR = ['near the sea', 'by a lake', 'on a hill', 'behind the woods', 'far away', 'next to a mill'];
export const PLACE_LOOKS = [
  'old',
  'big',
  'quiet',
  'busy',
  'sunny',
  'nice',
  'new',
  'green',
  'little',
  'famous',
  'lovely',
  'wide',
];
/** What a friend is to the hero. */
export const RELATIONS = ['friend', 'cousin', 'neighbor', 'classmate', 'best friend', 'new friend', 'old friend'];
export const SIZES = ['big', 'small', 'little', 'tiny', 'huge', 'large', 'giant'];
export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** What each trait makes a child do: `reason` is how the story looks back on it. */
export const TRAITS: Record<string, { deed: string }> = {
  kind: { deed: 'always wanted to help' },
  brave: { deed: 'was never afraid' },
  curious: { deed: 'asked many questions' },
  quiet: { deed: 'did not talk much' },
  cheerful: { deed: 'sang all day long' },
  clever: { deed: 'had the best ideas' },
  patient: { deed: 'never gave up' },
  polite: { deed: 'always said thank you' },
  strong: { deed: 'could carry big stones' },
  funny: { deed: 'told many jokes' },
  careful: { deed: 'looked twice at everything' },
  friendly: { deed: 'said hello to everyone' },
  sleepy: { deed: 'went to bed early' },
  busy: { deed: 'never sat still' },
};

/** Toys: what they are made of, and what one does with them (present, past). */
export const TOYS: Record<string, { material: string; use: string; used: string }> = {
  ball: { material: 'rubber', use: 'bounce', used: 'bounced' },
  kite: { material: 'paper', use: 'fly', used: 'flew' },
  boat: { material: 'wood', use: 'sail', used: 'sailed' },
  drum: { material: 'wood', use: 'beat', used: 'beat' },
  doll: { material: 'cloth', use: 'dress', used: 'dressed' },
  bell: { material: 'metal', use: 'ring', used: 'rang' },
  book: { material: 'paper', use: 'read', used: 'read' },
  whistle: { material: 'metal', use: 'blow', used: 'blew' },
  puppet: { material: 'cloth', use: 'move', used: 'moved' },
  train: { material: 'wood', use: 'push', used: 'pushed' },
  wagon: { material: 'wood', use: 'pull', used: 'pulled' },
  flute: { material: 'wood', use: 'play', used: 'played' },
  teddy: { material: 'cloth', use: 'hug', used: 'hugged' },
  lantern: { material: 'paper', use: 'light', used: 'lit' },
  robot: { material: 'metal', use: 'steer', used: 'steered' },
  cape: { material: 'cloth', use: 'wear', used: 'wore' },
  crown: { material: 'paper', use: 'wear', used: 'wore' },
  puzzle: { material: 'wood', use: 'solve', used: 'solved' },
  flag: { material: 'cloth', use: 'wave', used: 'waved' },
  sword: { material: 'wood', use: 'swing', used: 'swung' },
  trumpet: { material: 'metal', use: 'blow', used: 'blew' },
  balloon: { material: 'rubber', use: 'throw', used: 'threw' },
};

/** What mends a material, and the verb for how it broke. */
export const MATERIALS: Record<string, { tool: string; broke: string }> = {
  rubber: { tool: 'a patch', broke: 'had a hole' },
  paper: { tool: 'some tape', broke: 'was torn' },
  wood: { tool: 'some glue', broke: 'was cracked' },
  cloth: { tool: 'a needle and thread', broke: 'was ripped' },
  metal: { tool: 'a hammer', broke: 'was bent' },
};

/** Places: what one does there (present, past), what is there, and where a thing may lie. */
export const PLACES: Record<string, { play: string; played: string; view: string; spots: string[] }> = {
  park: {
    play: 'ride the swings',
    played: 'rode the swings',
    view: 'The grass was soft',
    spots: ['under the bench', 'behind the slide', 'in the tall grass'],
  },
  beach: {
    play: 'dig in the sand',
    played: 'dug in the sand',
    view: 'The waves were loud',
    spots: ['behind the rocks', 'under the towel', 'near the water'],
  },
  forest: {
    play: 'climb the trees',
    played: 'climbed the trees',
    view: 'The trees were very tall',
    spots: ['under the leaves', 'behind the log', 'in the moss'],
  },
  garden: {
    play: 'water the flowers',
    played: 'watered the flowers',
    view: 'The roses smelled sweet',
    spots: ['behind the roses', 'under the pots', 'in the bushes'],
  },
  farm: {
    play: 'feed the hens',
    played: 'fed the hens',
    view: 'The hens ran around',
    spots: ['in the hay', 'behind the barn', 'under the cart'],
  },
  market: {
    play: 'taste the fruit',
    played: 'tasted the fruit',
    view: 'The bread smelled good',
    spots: ['under the table', 'behind the barrels', 'in the basket'],
  },
  library: {
    play: 'read stories',
    played: 'read stories',
    view: 'The room was full of books',
    spots: ['under the chair', 'behind the shelf', 'near the lamp'],
  },
  river: {
    play: 'watch the fish',
    played: 'watched the fish',
    view: 'The water was clear',
    spots: ['under the bridge', 'behind the reeds', 'near the boat'],
  },
  hill: {
    play: 'roll down the grass',
    played: 'rolled down the grass',
    view: 'The wind was fresh',
    spots: ['behind the stone', 'in the clover', 'under the pine'],
  },
  school: {
    play: 'paint pictures',
    played: 'painted pictures',
    view: 'The walls were full of pictures',
    spots: ['under the desk', 'behind the door', 'in the closet'],
  },
};

/** Animals: their sound and the food they love. */
export const ANIMALS: Record<string, { sound: string; food: string }> = {
  dog: { sound: 'Woof', food: 'bones' },
  cat: { sound: 'Meow', food: 'milk' },
  duck: { sound: 'Quack', food: 'bread' },
  hen: { sound: 'Cluck', food: 'seeds' },
  goat: { sound: 'Maa', food: 'leaves' },
  pony: { sound: 'Neigh', food: 'carrots' },
  mouse: { sound: 'Squeak', food: 'cheese' },
  pig: { sound: 'Oink', food: 'corn' },
  lamb: { sound: 'Baa', food: 'grass' },
  calf: { sound: 'Moo', food: 'hay' },
  frog: { sound: 'Ribbit', food: 'flies' },
  bird: { sound: 'Tweet', food: 'crumbs' },
  crow: { sound: 'Caw', food: 'nuts' },
  snake: { sound: 'Hiss', food: 'eggs' },
  wolf: { sound: 'Howl', food: 'meat' },
  bear: { sound: 'Growl', food: 'honey' },
};

/** Weather and what one puts on for it. */
export const WEATHER: Record<string, string> = {
  sunny: 'hat',
  rainy: 'boots',
  snowy: 'mittens',
  windy: 'jacket',
  cold: 'scarf',
  foggy: 'coat',
  warm: 'shirt',
};

export const FOODS = [
  'apples',
  'bread',
  'cheese',
  'honey',
  'berries',
  'eggs',
  'milk',
  'pears',
  'nuts',
  'carrots',
  'plums',
  'beans',
  'butter',
  'cherries',
  'grapes',
  'lemons',
  'rice',
  'corn',
  'peas',
  'onions',
  'figs',
  'peaches',
  'noodles',
  'oats',
  'olives',
  'melons',
  'dates',
  'raisins',
];
export const TREATS = ['cake', 'pie', 'soup', 'jam', 'pizza', 'pudding', 'salad', 'pancakes', 'stew'];
export const PRIZES = ['a medal', 'a ribbon', 'a cookie', 'a flag', 'a star', 'a cup', 'a book', 'a balloon'];

/** The keys of a table as a word list. */
export const keys = (table: Record<string, unknown>): string[] => Object.keys(table);
