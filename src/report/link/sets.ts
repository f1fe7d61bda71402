/**
 * @file Indices as short text. An ascending list is told by the gaps before its indices, a character each; what stays of a block
 * is told by the indices that stay, by those that go, or by its length where the first ones stay.
 */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The last character adds its value to the gap of the next one. */
const carry = alphabet.length - 1;

export function isAscending(indices: readonly number[]): boolean {
  return indices.every((index, at) => Number.isSafeInteger(index) && index > (indices[at - 1] ?? -1));
}

/** @param indices ascending, each once, whole numbers from 0 */
export function writeGaps(indices: readonly number[]): string {
  let before = -1;
  return indices
    .map((index) => {
      const gap = index - before - 1;
      before = index;
      return alphabet[carry]!.repeat(Math.floor(gap / carry)) + alphabet[gap % carry]!;
    })
    .join('');
}

/** The indices of a text, fewer than its characters at most; null for other text. */
export function readGaps(text: string): number[] | null {
  const indices: number[] = [];
  let next = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return null;
    next += value;
    if (value === carry) continue;
    indices.push(next);
    next += 1;
  }
  return text.endsWith(alphabet[carry]!) ? null : indices;
}

/** Indices below 64 in any order, a character each; null where one is larger. */
export function writeIndices(indices: readonly number[]): string | null {
  return indices.every((index) => index < alphabet.length) ? indices.map((index) => alphabet[index]).join('') : null;
}

export function readIndices(text: string): number[] | null {
  const indices = [...text].map((character) => alphabet.indexOf(character));
  return indices.includes(-1) ? null : indices;
}

/** What stays of `size` heads or neurons; '' where all of them do. */
export function writeKept(kept: readonly number[] | null, size: number): string {
  if (kept === null) return '';
  if (kept.at(-1) === kept.length - 1 || kept.length === 0) return `=${kept.length}`;
  const stays = `+${writeGaps(kept)}`;
  if (kept.at(-1)! >= size) return stays;
  const inside = new Set(kept);
  const goes = `-${writeGaps(Array.from({ length: size }, (_, index) => index).filter((index) => !inside.has(index)))}`;
  return goes.length < stays.length ? goes : stays;
}

/** What stays of `size` heads or neurons; undefined for text that says no such thing. */
export function readKept(text: string, size: number): readonly number[] | null | undefined {
  if (text === '') return null;
  const rest = text.slice(1);
  if (text[0] === '=') {
    const count = /^\d{1,7}$/.test(rest) ? Number(rest) : size + 1;
    return count <= size ? Array.from({ length: count }, (_, index) => index) : undefined;
  }
  const indices = readGaps(rest);
  if (indices === null || (indices.at(-1) ?? -1) >= size) return undefined;
  if (text[0] === '+') return indices;
  if (text[0] !== '-') return undefined;
  const gone = new Set(indices);
  return Array.from({ length: size }, (_, index) => index).filter((index) => !gone.has(index));
}
