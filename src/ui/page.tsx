/** @file The page, in the order of the work: model → texts → importance → plan → benchmark → retraining → comparison. */
import './styles.css';
import { BestStage } from './best/bestStage';
import { EvolutionCard } from './charts/evolutionCard';
import { LatencyCard } from './charts/latencyCard';
import { QualityCard } from './charts/qualityCard';
import { RetrainingCard } from './charts/retraining/retrainingCard';
import { SearchCard } from './charts/searchCard';
import { ComparisonStage } from './comparison/comparisonTable';
import { DepthWidthStage } from './comparison/depthWidthStage';
import { CorporaStage } from './corpora/corporaStage';
import { ExportStage } from './export/exportStage';
import { Footer } from './footer';
import { Header } from './header/header';
import { ImportanceStage } from './importance/importanceStage';
import { KernelsPanel } from './kernels/kernelsPanel';
import { ModelStage } from './model/modelStage';
import { NoWebGpu } from './model/noWebGpu';
import { NowPanel } from './now/nowPanel';
import { AddressNote } from './parts/addressNote';
import { Boundary } from './parts/boundary';
import { InterruptionNote } from './parts/interruptionNote';
import { useShortcuts } from './plan/shortcuts';
import { RetrainStage } from './retrain/retrainStage';
import { TextsStage } from './texts/textsStage';

export function Page() {
  useShortcuts();
  return (
    <>
      <a className="skip" href="#blocks">
        Skip to the blocks
      </a>
      <Header />
      <main className="main">
        <Boundary title="The page ran into an error">
          <InterruptionNote />
          <AddressNote />
          <NoWebGpu />
          <ModelStage />
          <CorporaStage />
          <div className="work">
            <ImportanceStage />
            <NowPanel />
            <TextsStage />
          </div>
          <div className="two">
            <QualityCard />
            <LatencyCard />
          </div>
          <SearchCard />
          <EvolutionCard />
          <DepthWidthStage />
          <BestStage />
          <RetrainStage />
          <RetrainingCard />
          <ComparisonStage />
          <ExportStage />
          <KernelsPanel />
        </Boundary>
      </main>
      <Footer />
    </>
  );
}
