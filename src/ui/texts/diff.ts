/** @file Word-level difference of two texts by their longest common subsequence. Pure. */

export interface Piece {
  text: string;
  /** The word is not in the other text at this place. */
  differs: boolean;
}

/** A word with the white space that follows it, so that the pieces join to the text again. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/**
 * Both texts as pieces; joined, each side is its text again. Texts of n and m words take n·m steps: meant for the
 * sentences that the page generates, not for books.
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

/** Neighbours of one kind as one piece. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last && last.differs === piece.differs) last.text += piece.text;
    else result.push({ ...piece });
  }
  return result;
}

/** What a model wrote after the prompt, whether or not the text repeats it. */
export function afterPrompt(prompt: string, text: string): string {
  return text.startsWith(prompt) ? text.slice(prompt.length) : text;
}
