/** @file Light, dark or the system's theme; the choice is stored in this browser. */
import { useEffect, useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

/** index.html reads the same key before the first paint. */
const key = 'secateur.theme';
const order: readonly Theme[] = ['system', 'light', 'dark'];

/** The theme of a stored value; unknown values mean 'system'. */
export function parseTheme(value: string | null): Theme {
  return order.find((theme) => theme === value) ?? 'system';
}

export function nextTheme(theme: Theme): Theme {
  return order[(order.indexOf(theme) + 1) % order.length]!;
}

function stored(): Theme {
  try {
    return parseTheme(localStorage.getItem(key));
  } catch {
    return 'system'; // storage switched off
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    return; // storage switched off: the choice lasts as long as the page
  }
}

/** The theme and its setter, which also writes it to the document and to storage. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return [
    theme,
    (next) => {
      remember(next);
      setTheme(next);
    },
  ];
}
