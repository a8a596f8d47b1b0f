import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export interface AlarmDefinition {
  /** Its name, and the heading of the runbook that says what to do. */
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly says: string;
  readonly metric: IMetric;
  /** It goes off above it. */
  readonly above: number;
  /** Periods of the metric. @default 1 */
  readonly periods?: number;
  /** Of so many periods it has to be above in `periods`, whichever. @default in a row */
  readonly outOf?: number;
  /** @default no data is good news */
  readonly withoutData?: 'good' | 'bad';
  /** Tells several of one name apart. */
  readonly of?: string;
}

export const MINUTE = Duration.minutes(1);
export const FIVE_MINUTES = Duration.minutes(5);
const RUNBOOK = 'docs/runbook.md';

/** An alarm whose description leads to the runbook. */
export function alarm(scope: Construct, prefix: string, topic: Topic, definition: AlarmDefinition): Alarm {
  const { name, says, metric, above, periods = 1, outOf = periods, withoutData = 'good', of } = definition;
  const id = of === undefined ? name : `${name}-${of}`;
  const made = new Alarm(scope, id, {
    alarmName: `${prefix}-${id}`,
    alarmDescription: `${says} What to do: ${RUNBOOK}#${name}`,
    metric,
    threshold: above,
    evaluationPeriods: outOf,
    datapointsToAlarm: periods,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    treatMissingData: withoutData === 'good' ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
  });
  const action = new SnsAction(topic);
  made.addAlarmAction(action);
  made.addOkAction(action);
  return made;
}
