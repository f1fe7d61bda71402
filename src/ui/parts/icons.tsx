/** @file The page's icons: 24 × 24 line drawings in the text colour. All are decorative; each has a word beside it. */

const paths = {
  secateurs: 'M5 3c1 5 4 9 9 12M19 3c-1 5-4 9-9 12M9.2 15.6 7 21M14.8 15.6 17 21M12 12.6v.1',
  undo: 'M9 6 4 11l5 5M4.5 11H14a6 6 0 0 1 0 12h-2',
  redo: 'm15 6 5 5-5 5M19.5 11H10a6 6 0 0 0 0 12h2',
  restore: 'M4 4v6h6M4.5 10a8 8 0 1 1-.6 5',
  sun: 'M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5',
  system: 'M3 5h18v11H3zM9 20h6M12 16v4',
  alert: 'M12 3 2 20h20zM12 10v4M12 17v.1',
  info: 'M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0M12 11v5M12 8v.1',
  chip: 'M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4',
  folder: 'M3 6h6l2 2h10v11H3z',
  link: 'M10 14a4 4 0 0 0 6 0l4-4a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6 0l-4 4a4.2 4.2 0 0 0 6 6l1.5-1.5',
  close: 'M6 6l12 12M18 6 6 18',
  share:
    'M10.4 12a2.4 2.4 0 1 1-4.8 0 2.4 2.4 0 0 1 4.8 0M19.4 6a2.4 2.4 0 1 1-4.8 0 2.4 2.4 0 0 1 4.8 0M19.4 18a2.4 2.4 0 1 1-4.8 0 2.4 2.4 0 0 1 4.8 0M10.1 10.9l4.8-3.6M10.1 13.1l4.8 3.6',
  present: 'M3 4h18M5 4v11h14V4M12 15v3M8 21l4-3 4 3',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  expand: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  before: 'M15 5l-7 7 7 7',
  after: 'M9 5l7 7-7 7',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
