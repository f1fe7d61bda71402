/** @file Shows an element of the class `full-screen` on the whole screen while it is mounted, where the browser lets the page. */
import { type RefObject, useEffect } from 'react';
import './fullScreen.css';

/** `onLeave`: the user left the full screen, as with Escape. Where the browser refuses, the element stays in the window. */
export function useFullScreen(element: RefObject<HTMLElement | null>, onLeave: () => void): void {
  useEffect(() => {
    let entered = false;
    const changed = (): void => {
      const shown = document.fullscreenElement === element.current;
      if (entered && !shown) onLeave();
      entered = shown;
    };
    document.addEventListener('fullscreenchange', changed);
    // Phones and embedded pages refuse: the element fills the window all the same.
    element.current?.requestFullscreen?.().catch(() => undefined);
    return () => {
      document.removeEventListener('fullscreenchange', changed);
      if (document.fullscreenElement !== null) void document.exitFullscreen().catch(() => undefined);
    };
  }, [element, onLeave]);
}
