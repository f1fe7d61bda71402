/**
 * @file Which work candidates share. Pure.
 *
 * A candidate passes some of the base's sub-blocks (its attentions and MLPs, in order) and skips the others. Those
 * that have passed the same sub-blocks so far are in the same state, and one slot serves them all; where they part, one of
 * the two goes on in a copy. The slots at work at a sub-block are always the first ones, so that one launch serves them.
 */

/** The steps at a sub-block, in this order. */
export interface SubBlockPlan {
  /** Slots that are copied: from, to. */
  readonly copies: readonly (readonly [from: number, to: number])[];
  /** Slots that change places. */
  readonly swaps: readonly (readonly [a: number, b: number])[];
  /** Slots 0 … active − 1 pass the sub-block. */
  readonly active: number;
}

export interface PrefixPlan {
  readonly subBlocks: readonly SubBlockPlan[];
  /** Slots in all. */
  readonly slots: number;
  /** Where each candidate ends; equal candidates in the same slot. */
  readonly slotOf: readonly number[];
}

/** @param passes [candidates][sub-blocks] whether a candidate passes a sub-block */
export function planPrefixes(passes: readonly (readonly boolean[])[]): PrefixPlan {
  /** Candidates by slot. */
  const groups: number[][] = [passes.map((_, candidate) => candidate)];
  const subBlocks = Array.from({ length: passes[0]?.length ?? 0 }, (_, subBlock): SubBlockPlan => {
    const goesOn = (candidate: number): boolean => passes[candidate]![subBlock]!;
    const copies: [number, number][] = [];
    for (let slot = 0, before = groups.length; slot < before; slot++) {
      const going = groups[slot]!.filter(goesOn);
      if (going.length === 0 || going.length === groups[slot]!.length) continue;
      copies.push([slot, groups.length]);
      groups.push(groups[slot]!.filter((candidate) => !goesOn(candidate)));
      groups[slot] = going;
    }
    const works = groups.map((group) => goesOn(group[0]!));
    const active = works.filter(Boolean).length;
    const idleInFront = works.flatMap((work, slot) => (!work && slot < active ? [slot] : []));
    const workBehind = works.flatMap((work, slot) => (work && slot >= active ? [slot] : []));
    const swaps = idleInFront.map((slot, index): [number, number] => [slot, workBehind[index]!]);
    for (const [a, b] of swaps) [groups[a], groups[b]] = [groups[b]!, groups[a]!];
    return { copies, swaps, active };
  });
  const slotOf: number[] = [];
  groups.forEach((group, slot) => {
    for (const candidate of group) slotOf[candidate] = slot;
  });
  return { subBlocks, slots: groups.length, slotOf };
}
