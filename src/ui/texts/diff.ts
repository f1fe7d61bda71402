/** @file Word-level difference of two texts by their longest common subsequence. Pure. */

export interface Piece {
  text: string;
  /** The word is not in the other text at this place. */
  differs: boolean;
}

/** Words with their trailing white space, so that the pieces join to the same text. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/**
 * Splits both texts into pieces that join to the same text. Takes n·m steps for n and m words: meant for the short
 * texts that the page generates.
 */
export function diffWords(base: string, variant: string): { base: Piece[]; variant: Piece[] } {
  const a = words(base);
  const b = words(variant);
  const same = (i: number, j: number): boolean => a[i]!.trim() === b[j]!.trim();
  // common[i][j]: length of the longest common subsequence of a from i on and b from j on.
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i]![j] = same(i, j) ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
    }
  }
  const pieces = { base: [] as Piece[], variant: [] as Piece[] };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && same(i, j)) {
      pieces.base.push({ text: a[i]!, differs: false });
      pieces.variant.push({ text: b[j]!, differs: false });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      pieces.base.push({ text: a[i]!, differs: true });
      i += 1;
    } else {
      pieces.variant.push({ text: b[j]!, differs: true });
      j += 1;
    }
  }
  return { base: joined(pieces.base), variant: joined(pieces.variant) };
}

/** Merges neighbours of one kind. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last && last.differs === piece.differs) last.text += piece.text;
    else result.push({ ...piece });
  }
  return result;
}

/** The text that a model generated after the prompt, whether or not `text` repeats the prompt. */
export function afterPrompt(prompt: string, text: string): string {
  return text.startsWith(prompt) ? text.slice(prompt.length) : text;
}
