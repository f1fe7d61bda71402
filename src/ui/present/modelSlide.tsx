/** @file The first slide: the model, its sizes, and a picture of its blocks. */
import type { ModelInfo } from '../../report/facts';
import { modelFacts, shortSource } from '../model/facts';
import { useLab } from '../parts/useLab';
import { attentionShare } from '../strip/ranks';
import { SlideFrame } from './frame';

/** Figures of the page's card that a slide leaves out: they are about this browser. */
const notShown = new Set(['Stored']);

export function ModelSlide() {
  const model = useLab((state) => state.model);
  const { title, notes } = useLab((state) => state.words);
  if (!model) return null;
  const name = model.card?.title ?? shortSource(model.source);
  return (
    <SlideFrame title={title || name} className="title-slide">
      {title && <p className="lead">{name}</p>}
      {notes && <p className="notes">{notes}</p>}
      <Picture model={model} />
      <dl className="figures">
        {modelFacts(model)
          .filter(({ label }) => !notShown.has(label))
          .map(({ label, value }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </SlideFrame>
  );
}

/** The blocks in a row, attention above, MLP below; heights show parameters. */
function Picture({ model: { shape } }: { model: ModelInfo }) {
  return (
    <div className="picture" role="img" aria-label={`${shape.layers.length} blocks between embedding and head`}>
      <span className="end">text in</span>
      <div className="blocks">
        {shape.layers.map((layer, block) => (
          <span className="column" key={layer.source}>
            <i className="attention" style={{ flexGrow: attentionShare(shape, block) }} />
            <i className="mlp" style={{ flexGrow: 1 - attentionShare(shape, block) }} />
          </span>
        ))}
      </div>
      <span className="end">next token out</span>
      <p className="key-line">
        <i className="attention" /> attention <i className="mlp" /> MLP
      </p>
    </div>
  );
}
