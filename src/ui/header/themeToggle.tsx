/** @file A button that cycles through system, light and dark. */
import { Icon, type IconName } from '../parts/icons';
import { nextTheme, type Theme, useTheme } from './theme';

const icons: Readonly<Record<Theme, IconName>> = { system: 'system', light: 'sun', dark: 'moon' };

export function ThemeToggle() {
  const [theme, setTheme] = useTheme();
  const next = nextTheme(theme);
  const says = `Theme: ${theme}. Switch to ${next}.`;
  return (
    <button type="button" className="button theme" aria-label={says} title={says} onClick={() => setTheme(next)}>
      <Icon name={icons[theme]} />
      <span className="theme-word">{theme}</span>
    </button>
  );
}
