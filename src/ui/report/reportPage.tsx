/** @file A report that was opened by its link: charts and tables from the data, without a GPU, a model or the network. */

export function ReportPage() {
  return <main className="main" />;
}
