/** @file The report's numbers side by side with those measured here: scores and perplexities, then times by device. */
import type { DeviceInfo } from '../../report/facts';
import type { ReproducedValue } from '../../report/reproduction/values';
import { SoftwareBadge } from '../parts/softwareBadge';
import { VerdictMark, verdictOf } from './mark';
import { deviationText, valueText } from './words';

interface Props {
  values: readonly ReproducedValue[];
  reportedOn: DeviceInfo | null;
  hereOn: DeviceInfo | null;
}

export function ValueTables({ values, reportedOn, hereOn }: Props) {
  const judged = values.filter(({ kind }) => kind !== 'latency');
  const times = values.filter(({ kind }) => kind === 'latency');
  return (
    <>
      {judged.length > 0 && <JudgedTable values={judged} />}
      {times.length > 0 && <TimesTable values={times} reportedOn={reportedOn} hereOn={hereOn} />}
    </>
  );
}

function JudgedTable({ values }: { values: readonly ReproducedValue[] }) {
  return (
    <Scrolling name="Numbers of the report, measured again">
      <thead>
        <tr>
          <th scope="col">number</th>
          <th scope="col" className="number">
            reported
          </th>
          <th scope="col" className="number">
            here
          </th>
          <th scope="col" className="number">
            deviation
          </th>
          <th scope="col">result</th>
        </tr>
      </thead>
      <tbody>
        {values.map((value) => (
          <tr key={value.value}>
            <th scope="row">
              {value.value}
              {value.why && <span className="reproduced-why">{value.why}</span>}
            </th>
            <td className="number">{valueText(value.reported, value.unit)}</td>
            <td className="number">{valueText(value.here, value.unit)}</td>
            <td className="number">{deviationText(value.deviation)}</td>
            <td>
              <VerdictMark verdict={verdictOf(value)} />
            </td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}

function TimesTable({ values, reportedOn, hereOn }: Props) {
  const noted = values.filter(({ here, why }) => here === null && why !== undefined);
  return (
    <>
      <h3>Times of two devices</h3>
      <p className="sub">A time belongs to its device, so that none agrees or differs.</p>
      <Scrolling name="Times of two devices">
        <thead>
          <tr>
            <th scope="col">time</th>
            <DeviceHead name="the report’s device" device={reportedOn} adapter={values[0]?.reportedOn?.adapter} />
            <DeviceHead
              name="this device"
              device={hereOn}
              adapter={values.find(({ hereOn: label }) => label)?.hereOn?.adapter}
            />
          </tr>
        </thead>
        <tbody>
          {values.map((value) => (
            <tr key={value.value}>
              <th scope="row">{value.value}</th>
              <td className="number">{valueText(value.reported, value.unit)}</td>
              <td className="number">{value.here === null ? 'not measured' : valueText(value.here, value.unit)}</td>
            </tr>
          ))}
        </tbody>
      </Scrolling>
      {noted.length > 0 && <p className="hint">{[...new Set(noted.map(({ why }) => why))].join(' ')}</p>}
    </>
  );
}

interface HeadProps {
  name: string;
  device: DeviceInfo | null;
  /** What timed, where that was not the GPU: 'CPU'. */
  adapter: string | undefined;
}

function DeviceHead({ name, device, adapter }: HeadProps) {
  return (
    <th scope="col" className="number">
      {device?.adapter ?? adapter ?? 'no WebGPU'}
      {device && adapter !== undefined && adapter !== device.adapter && `, timed on ${adapter}`}
      <span className="reproduced-why">{name}</span>
      {device?.software && <SoftwareBadge />}
    </th>
  );
}

function Scrolling({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label={name}>
      <table className="table reproduced">
        <caption className="sr-only">{name}</caption>
        {children}
      </table>
    </section>
  );
}
