/**
 * @file Atomic groups, (?>…), and possessive quantifiers, a++, of Oniguruma in JavaScript's terms: a lookahead takes the
 * text once, and a reference to what it captured consumes it. The library's translation lets both backtrack.
 */

type Refuse = (reason: string) => Error;

/** @throws what `refuse` makes, for expressions that mix them with numbered references */
export function withoutBacktracking(source: string, refuse: Refuse): string {
  if (!/\(\?>|[*+?]\+/.test(source)) return source;
  let made = '';
  let groups = 0;
  /** Where the last atom begins in `made`; −1 where a quantifier has none. */
  let atom = -1;
  const open: { start: number; atomic: boolean }[] = [];
  const wrap = (from: number): void => {
    groups += 1;
    made = `${made.slice(0, from)}(?=(?<atomic${groups}>${made.slice(from)}))\\k<atomic${groups}>`;
    // What follows a wrapped atom may quantify the whole of it.
    made = `${made.slice(0, from)}(?:${made.slice(from)})`;
  };
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at);
    const escaped = /^\\(?:[pPxu]\{[^}]*\}|[\s\S])/.exec(rest)?.[0];
    if (escaped !== undefined) {
      if (/^\\[1-9k]/.test(escaped))
        throw refuse('references with atomic groups or possessive quantifiers are not supported');
      atom = made.length;
      made += escaped;
      at += escaped.length;
    } else if (rest.startsWith('[')) {
      const length = classLength(rest);
      atom = made.length;
      made += rest.slice(0, length);
      at += length;
    } else if (rest.startsWith('(')) {
      const prefix = /^\((?:\?(?:>|:|=|!|<=|<!|i:|<\w+>))?/.exec(rest)![0];
      open.push({ start: made.length, atomic: prefix === '(?>' });
      made += prefix === '(?>' ? '(?:' : prefix;
      at += prefix.length;
      atom = -1;
    } else if (rest.startsWith(')')) {
      const group = open.pop();
      if (!group) throw refuse('unmatched closing parenthesis');
      made += ')';
      at += 1;
      if (group.atomic) wrap(group.start);
      atom = group.start;
    } else {
      const quantifier = /^[*+?]\+?/.exec(rest)?.[0];
      if (quantifier !== undefined && atom !== -1) {
        made += quantifier[0];
        at += quantifier.length;
        if (quantifier.length === 2) wrap(atom);
      } else {
        const character = String.fromCodePoint(rest.codePointAt(0)!);
        if (!/^[{}\d,|]$/.test(character)) atom = made.length;
        else if (character === '|') atom = -1;
        else if (/^[\d,]$/.test(character) && !/\{[\d,]*$/.test(made)) atom = made.length;
        made += character;
        at += character.length;
      }
    }
  }
  return made;
}

/** Length of a class with the classes within it. */
function classLength(rest: string): number {
  let depth = 0;
  for (let at = 0; at < rest.length; at += 1) {
    const character = rest[at];
    if (character === '\\') at += 1;
    else if (character === '[') {
      depth += 1;
      // A bracket that closes comes first as itself.
      if (rest[at + 1] === '^') at += 1;
      if (rest[at + 1] === ']') at += 1;
    } else if (character === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return rest.length;
}
