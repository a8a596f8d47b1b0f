import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

export interface WebAclProps {
  readonly name: string;
  readonly requestsPerAddress: number;
  /** ARNs of the stages it stands in front of, by a name for each. */
  readonly stages: Readonly<Record<string, string>>;
}

/**
 * A firewall against addresses: those known for attacks, and those that ask too often. None of AWS's rules that read bodies:
 * people may write each other what such rules take for an attack, and a picture is longer than what they let through.
 */
export class WebAcl extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, { name, requestsPerAddress, stages }: WebAclProps) {
    super(scope, id);
    this.name = name;
    const visibility = (metricName: string) => ({
      metricName,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
    });
    const acl = new CfnWebACL(this, 'Acl', {
      name,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(name),
      rules: [
        {
          name: 'requests-per-address',
          priority: 0,
          action: { block: { customResponse: { responseCode: 429 } } },
          statement: { rateBasedStatement: { limit: requestsPerAddress, aggregateKeyType: 'IP' } },
          visibilityConfig: visibility('requests-per-address'),
        },
        {
          name: 'known-attackers',
          priority: 1,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: { vendorName: 'AWS', name: 'AWSManagedRulesAmazonIpReputationList' },
          },
          visibilityConfig: visibility('known-attackers'),
        },
      ],
    });
    for (const [stage, resourceArn] of Object.entries(stages))
      new CfnWebACLAssociation(this, stage, { resourceArn, webAclArn: acl.attrArn });
  }
}
