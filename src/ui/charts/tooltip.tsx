/** @file One look for all charts' tooltips. */
export function TooltipBox({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <div className="chart-tip">
      <b>{title}</b>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}
