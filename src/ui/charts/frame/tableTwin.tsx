/** @file The numbers of a chart as a table, in the same rounding. */
import { Disclosure } from '../../parts/disclosure';

export interface ChartTable {
  /** Names of the columns; the first column names the row. */
  readonly head: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly string[] }[];
}

export function TableTwin({ caption, table }: { caption: string; table: ChartTable }) {
  return (
    <Disclosure summary="Table">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label={`${caption}, table, scrolls sideways`}>
        <table className="table slim">
          <caption className="sr-only">{caption}</caption>
          <thead>
            <tr>
              {table.head.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map(({ key, cells: [first, ...rest] }) => (
              <tr key={key}>
                <th scope="row">{first}</th>
                {rest.map((cell, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its column
                  <td key={index}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Disclosure>
  );
}
