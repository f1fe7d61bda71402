/** @file BlockPruner: removes single attentions and MLPs, by default until half of them are removed. */
import { subBlockKinds, unitsInLayer } from '../../model/unit';
import type { GreedyMethod } from '../method';

const blockPruner: GreedyMethod = {
  kinds: (layer) => subBlockKinds.filter((kind) => unitsInLayer(layer, kind) > 0),
  limit: (layers) => layers,
};

export default blockPruner;
