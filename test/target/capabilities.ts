/** The clouds that the integration tests run against. */
export const TARGETS = ['embedded', 'ministack', 'localstack', 'aws'] as const;
export type TargetName = (typeof TARGETS)[number];

/** What some tests need of a cloud, and not every cloud has. */
export type Capability = 'placeholder';

export type Verdict = 'yes' | { readonly no: string };

export const CAPABILITIES: Readonly<Record<TargetName, Readonly<Record<Capability, Verdict>>>> = {
  embedded: { placeholder: 'yes' },
  ministack: { placeholder: 'yes' },
  localstack: { placeholder: 'yes' },
  aws: { placeholder: 'yes' },
};
