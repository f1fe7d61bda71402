/** @file The last line on paper: what was printed, when, and from which address. The screen does not show it. */
import { useEffect, useState } from 'react';

const today = (): string => new Date().toISOString().slice(0, 10);

export function PrintedFoot({ about }: { about: readonly (string | null)[] }) {
  const [date, setDate] = useState(today);
  useEffect(() => {
    const update = (): void => setDate(today());
    addEventListener('beforeprint', update);
    return () => removeEventListener('beforeprint', update);
  }, []);
  const parts = [...about, `printed ${date}`, `${location.origin}${location.pathname}`];
  return <p className="printed-foot">{parts.filter((part) => part !== null).join(' · ')}</p>;
}
