/**
 * @file Numbers as short text. A letter is the decimal exponent of the numbers behind it, each of which has the same number of
 * digits: with four, 'n12381240' is 1.238 and 1.24, 'm5000' is 0.5, 'P1200' is -120. Lists need no commas. Numbers with all their
 * digits have a letter each.
 */

/** The exponent of the letter 'a'. */
const lowest = -13;
const letters = 'abcdefghijklmnopqrstuvwxyz';
/** Zero, and the numbers that JSON has no word for. */
const words: Readonly<Record<string, number>> = {
  '.': 0,
  '?': Number.NaN,
  '*': Number.POSITIVE_INFINITY,
  '!': Number.NEGATIVE_INFINITY,
};

/** @param digits significant ones of each; undefined for all that tell a double from others */
export function writeFigures(values: readonly number[], digits?: number): string {
  let current = '';
  return values
    .map((value) => {
      const [letter, rest] = parts(value, digits);
      const known = letter !== '' && letter === current && digits !== undefined;
      if (letter !== '') current = letter;
      return known ? rest : `${letter}${rest}`;
    })
    .join('');
}

/** A number's letter and digits; without a letter a word, or in brackets a number whose exponent has no letter. */
function parts(value: number, digits: number | undefined): [letter: string, rest: string] {
  if (value === 0) return ['', '.'];
  const word = Object.keys(words).find((key) => Object.is(words[key], value));
  if (word !== undefined) return ['', word];
  const text = value.toExponential(digits === undefined ? undefined : digits - 1);
  const [mantissa = '', exponent = ''] = text.split('e');
  const letter = letters[Number(exponent) - lowest];
  if (letter === undefined) return ['', `(${text})`];
  return [value < 0 ? letter.toUpperCase() : letter, mantissa.replace(/[-.]/g, '')];
}

/** The numbers of a text; null where it is no such text, or holds more numbers than `most`. */
export function readFigures(text: string, most: number, digits?: number): number[] | null {
  const count = digits === undefined ? '1,17' : String(digits);
  const token = new RegExp(`([a-zA-Z])|(\\d{${count}})|([.?*!])|\\((-?\\d(?:\\.\\d{1,16})?e[+-]\\d{1,3})\\)`, 'y');
  const values: number[] = [];
  let current = '';
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return null;
    const [, letter, mantissa, word, whole] = match;
    if (letter !== undefined) {
      current = letter;
      continue;
    }
    if (values.length === most || (mantissa !== undefined && current === '')) return null;
    if (mantissa !== undefined) values.push(ofDigits(current, mantissa));
    else values.push(word === undefined ? Number(whole) : words[word]!);
  }
  return values;
}

function ofDigits(letter: string, digits: string): number {
  const exponent = letters.indexOf(letter.toLowerCase()) + lowest;
  const value = Number(`${digits[0]}.${digits.slice(1)}e${exponent}`);
  return letter === letter.toLowerCase() ? value : -value;
}
