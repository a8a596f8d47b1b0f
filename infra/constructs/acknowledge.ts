import { Aws, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Accepts what cdk-nag finds in a construct or below it: rule by rule, each with the reason. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  Validations.of(construct).acknowledge(
    ...Object.entries(reasons).map(([rule, reason]) => ({ id: `AwsSolutions-${rule}`, reason })),
  );
}

const PSEUDO_PARAMETERS = [
  [Aws.PARTITION, '<AWS::Partition>'],
  [Aws.REGION, '<AWS::Region>'],
  [Aws.ACCOUNT_ID, '<AWS::AccountId>'],
] as const;

/** Accepts that a policy names resources by a pattern: exactly this one. */
export function acknowledgePattern(construct: IConstruct, arn: string, reason: string): void {
  const readable = PSEUDO_PARAMETERS.reduce((text, [token, name]) => text.replaceAll(token, name), arn);
  acknowledge(construct, { [`IAM5[Resource::${readable}]`]: reason });
}
