/** @file The shapes of one operation with the time of every kernel that was tried; the chosen one is highlighted. */
import { integer, milliseconds, times } from '../parts/format';
import { gain, type OperationGroup } from './kernelData';

type TunedClass = OperationGroup['classes'][number];

export function TilesTable({ group: { classes, tiles } }: { group: OperationGroup }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Kernels of an operation, scrolls sideways">
      <table className="table slim kernels-table">
        <thead>
          <tr>
            <th scope="col" title="The size that was timed: large weights are cropped to keep launches short">
              weight
            </th>
            <th scope="col">rows</th>
            {tiles.map((tile) => (
              <th scope="col" key={tile}>
                {tile}
              </th>
            ))}
            <th scope="col" title="Time of the default kernel divided by that of the chosen one">
              gain
            </th>
          </tr>
        </thead>
        <tbody>
          {classes.map((one) => (
            <tr key={`${one.dtype} ${one.cols} ${one.inner} ${one.rows} ${one.byFour}`}>
              <th scope="row">
                {integer(one.sizes.cols)} × {integer(one.sizes.inner)} <span className="soft">{one.dtype}</span>
              </th>
              <td>{integer(one.sizes.rows)}</td>
              {tiles.map((tile) => (
                <TileCell key={tile} tuned={one} tile={tile} />
              ))}
              <td>{one.tile === one.fallback ? '–' : gainText(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function TileCell({ tuned, tile }: { tuned: TunedClass; tile: string }) {
  const trial = tuned.trials.find((one) => one.tile === tile);
  if (!trial) return <td className="soft">–</td>;
  if (trial.refused !== null) {
    return (
      <td className="refused" title={trial.refused}>
        refused
      </td>
    );
  }
  if (trial.milliseconds === null) return <td className="soft">slower</td>;
  return (
    <td className={tile === tuned.tile ? 'chosen' : undefined}>
      {milliseconds(trial.milliseconds)}
      {tile === tuned.tile && <span className="sr-only"> (chosen)</span>}
    </td>
  );
}

function gainText(tuned: TunedClass): string {
  const ratio = gain(tuned);
  return ratio === null ? '> 2×' : times(ratio);
}
