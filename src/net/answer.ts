/** The head of an answer, whatever carried it. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}
