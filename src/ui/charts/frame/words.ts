/** @file Words of a chart's image: lines of a width, names of files. Pure. */

/** Lines of at most `width`; a word that is longer has a line of its own. */
export function wrapped(words: string, width: number, widthOf: (words: string) => number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ').filter((part) => part !== '')) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A model's name as part of a file's: 'hf:owner/Name-1B' → 'owner-name-1b'. */
export function fileWords(model: string): string {
  return model
    .toLowerCase()
    .replace(/^hf:/, '')
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60);
}
