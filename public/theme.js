// Before the first paint, so that a chosen theme does not flash: src/ui/header/theme.ts writes this key. A file of its own,
// since the page's policy allows no script within the page.
try {
  const theme = localStorage.getItem('secateur.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // storage switched off: the system's theme
}
