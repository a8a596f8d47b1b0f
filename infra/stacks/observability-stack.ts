import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { alarm } from '../constructs/alarms.ts';
import { dashboard } from '../constructs/dashboard.ts';
import type { Installation } from '../installation.ts';
import { alarmCatalogue } from './alarm-catalogue.ts';

export interface ObservabilityStackProps extends StackProps {
  readonly installation: Installation;
  readonly dataKey: Key;
}

/** Alarms, who hears of them, and a dashboard. It knows the others by their names only. */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, { installation, dataKey, ...props }: ObservabilityStackProps) {
    super(scope, id, props);
    const { names, settings } = installation;
    const topic = new Topic(this, 'Alarms', {
      topicName: `${names.prefix}-alarms`,
      enforceSSL: true,
      masterKey: dataKey,
    });
    // The policy that demands TLS takes the place of the one that a topic has by itself.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    if (settings.alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(settings.alarmEmail));
    for (const definition of alarmCatalogue(installation)) alarm(this, names.prefix, topic, definition);
    dashboard(this, installation);
    new CfnOutput(this, 'AlarmTopic', { value: topic.topicArn, description: 'Subscribe to it to hear of alarms' });
  }
}
