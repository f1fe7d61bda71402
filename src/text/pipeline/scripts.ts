/** @file Where a text changes from one script to another: the pre-tokenizer UnicodeScripts of tokenizers 0.23 (Rust). */
import type { Matches } from './pattern';

/** Scripts that Unicode knows by 2018, whose table the library has; characters of later ones are of any script. */
const names =
  'Common Inherited Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Khmer Mongolian Hiragana Katakana Bopomofo Han Yi Old_Italic Gothic Deseret Tagalog Hanunoo Buhid Tagbanwa Limbu Tai_Le Linear_B Ugaritic Shavian Osmanya Cypriot Braille Buginese Coptic New_Tai_Lue Glagolitic Tifinagh Syloti_Nagri Old_Persian Kharoshthi Balinese Cuneiform Phoenician Phags_Pa Nko Sundanese Lepcha Ol_Chiki Vai Saurashtra Kayah_Li Rejang Lycian Carian Lydian Cham Tai_Tham Tai_Viet Avestan Egyptian_Hieroglyphs Samaritan Lisu Bamum Javanese Meetei_Mayek Imperial_Aramaic Old_South_Arabian Inscriptional_Parthian Inscriptional_Pahlavi Old_Turkic Kaithi Batak Brahmi Mandaic Chakma Meroitic_Cursive Meroitic_Hieroglyphs Miao Sharada Sora_Sompeng Takri Caucasian_Albanian Bassa_Vah Duployan Elbasan Grantha Pahawh_Hmong Khojki Linear_A Mahajani Manichaean Mende_Kikakui Modi Mro Old_North_Arabian Nabataean Palmyrene Pau_Cin_Hau Old_Permic Psalter_Pahlavi Siddham Khudawadi Tirhuta Warang_Citi Ahom Anatolian_Hieroglyphs Hatran Multani Old_Hungarian SignWriting Adlam Bhaiksuki Marchen Newa Osage Tangut Masaram_Gondi Nushu Soyombo Zanabazar_Square Dogra Gunjala_Gondi Hanifi_Rohingya Makasar Medefaidrin Old_Sogdian Sogdian'.split(
    ' ',
  );

let tests: { name: string; test: RegExp }[] | null = null;
const known = new Map<string, string | null>();

/** A character's script, Hiragana and Katakana as Han; null for spaces and what has none. */
function scriptOf(character: string): string | null {
  if (character === ' ') return null;
  if (character === 'ー') return 'Han';
  let script = known.get(character);
  if (script === undefined) {
    tests ??= names.map((name) => ({ name, test: new RegExp(`^\\p{Script=${name}}$`, 'u') }));
    const found = tests.find(({ test }) => test.test(character))?.name ?? null;
    script = found === 'Hiragana' || found === 'Katakana' ? 'Han' : found;
    known.set(character, script);
  }
  return script;
}

/** Stretches of one script; spaces join what is before them, and those at the start are in none. */
export function scriptBoundaries(text: string): Matches {
  const starts: number[] = [];
  let last: string | null = null;
  let at = 0;
  for (const character of text) {
    const script = scriptOf(character);
    if (script !== null && script !== last) starts.push(at);
    last = script ?? last;
    at += character.length;
  }
  return starts.map((start, index) => [start, starts[index + 1] ?? text.length]);
}
