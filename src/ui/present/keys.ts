/** @file The keys of a presentation. Pure. */

type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** Whether a key press starts the presentation: Alt+P, which no text field needs. */
export function startsPresentation({ code, ctrlKey, metaKey, shiftKey, altKey }: Pressed): boolean {
  return code === 'KeyP' && altKey && !ctrlKey && !metaKey && !shiftKey;
}

/** The slide that a key leads to, of `count`; null for keys that do nothing. Clickers send Page up and Page down. */
export function slideAfter(event: Pressed, at: number, count: number): number | null {
  const { key, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (ctrlKey || metaKey || altKey) return null;
  const last = count - 1;
  const [before, after] = [Math.max(0, at - 1), Math.min(last, at + 1)];
  switch (key) {
    case ' ':
      return shiftKey ? before : after;
    case 'ArrowRight':
    case 'ArrowDown':
    case 'PageDown':
      return after;
    case 'ArrowLeft':
    case 'ArrowUp':
    case 'PageUp':
    case 'Backspace':
      return before;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
