/** @file How a report's numbers were measured, and which of them mean nothing beyond their device. */
import type { ModelRecord } from '../../report/record';
import { Icon } from '../parts/icons';
import { enumerate } from '../parts/names';
import { protocolFacts, softwareAdapters } from './protocolFacts';

export function ProtocolCard({ record }: { record: ModelRecord }) {
  const software = softwareAdapters(record);
  return (
    <section className="card" aria-labelledby="protocol-title">
      <h2 id="protocol-title">How this was measured</h2>
      {software.length > 0 && (
        <aside className="note wide">
          <Icon name="alert" />
          <div className="note-body">
            <strong>The GPU was emulated</strong>
            <p>
              {enumerate(software)} {software.length === 1 ? 'is a software adapter' : 'are software adapters'}: the CPU
              computed what a GPU would. Perplexities and scores are correct; times say nothing about a GPU.
            </p>
          </div>
        </aside>
      )}
      <dl className="protocol">
        {protocolFacts(record).map(({ name, lines }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {lines.map((line, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines are told in their order
                <p key={index}>{line}</p>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
