import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  ApiKey,
  CfnAccount,
  DomainName,
  EndpointType,
  Period,
  SecurityPolicy,
  UsagePlan,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { usagePlanKey } from '#shared/contracts/usage-plans.ts';
import type { Settings } from '../config/settings.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { RegionalApi } from '../constructs/regional-api.ts';
import { WebAcl } from '../constructs/web-acl.ts';
import type { Installation } from '../installation.ts';
import type { FunctionsStack } from './functions-stack.ts';

/** For which the firewall counts. */
const FIREWALL_SECONDS = 300;
const LEAST_REQUESTS_PER_ADDRESS = 3_000;

export interface ApiStackProps extends StackProps {
  readonly installation: Installation;
  readonly functions: FunctionsStack;
}

/** The HTTP API: for callers with a key, and for callers with AWS credentials. */
export class ApiStack extends Stack {
  readonly keyApi: RegionalApi;
  readonly iamApi: RegionalApi | undefined;
  /** Of the API for callers with a key: its own host name, or API Gateway's. */
  readonly address: string;

  constructor(scope: Construct, id: string, { installation, functions, ...props }: ApiStackProps) {
    super(scope, id, props);
    const { settings, names } = installation;
    const account = this.#letApiGatewayLog();
    const common = { installation, functionNamed: (name: string) => functions.functionNamed(name) };

    this.keyApi = new RegionalApi(this, 'Key', { ...common, authorization: 'key' });
    this.keyApi.node.addDependency(account);
    this.#usagePlans(installation);
    if (settings.iamApi) {
      this.iamApi = new RegionalApi(this, 'Iam', { ...common, authorization: 'iam' });
      this.iamApi.node.addDependency(account);
      new CfnOutput(this, 'IamApiUrl', {
        value: withoutSlash(this.iamApi.api.url),
        description: 'API for signed requests',
      });
    }
    if (settings.waf) {
      new WebAcl(this, 'Firewall', {
        name: names.prefix,
        requestsPerAddress: settings.wafRequestsPerAddress ?? letThroughByPlans(settings),
        stages: {
          Key: this.keyApi.stageArn,
          ...(this.iamApi !== undefined && { Iam: this.iamApi.stageArn }),
        },
      });
    } else {
      acknowledge(this, { APIG3: 'This stage does without a firewall; `-c waf=true` puts one in front.' });
    }
    this.#domain(installation);
    this.address =
      settings.domainName === undefined ? withoutSlash(this.keyApi.api.url) : `https://${settings.domainName}`;
    new CfnOutput(this, 'ApiUrl', { value: this.address, description: 'API for callers with a key' });
  }

  /** A setting of the account and region: both stages of an account make it, and none takes it away. */
  #letApiGatewayLog(): CfnAccount {
    const role = new Role(this, 'ApiGatewayLogs', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs')],
    });
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    acknowledge(role, {
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]':
        'API Gateway has one logging role for an account and region; this is the policy that AWS made for it.',
    });
    const account = new CfnAccount(this, 'ApiGatewayAccount', { cloudWatchRoleArn: role.roleArn });
    account.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return account;
  }

  #usagePlans({ settings, names }: Installation): void {
    const { api } = this.keyApi;
    for (const [name, { rate, burst, monthly }] of Object.entries(settings.usagePlans)) {
      const plan = new UsagePlan(this, `Plan-${name}`, {
        name: `${names.prefix}-${name}`,
        throttle: { rateLimit: rate, burstLimit: burst },
        ...(monthly !== undefined && { quota: { limit: monthly, period: Period.MONTH } }),
        apiStages: [{ stage: api.deploymentStage }],
      });
      const key = new ApiKey(this, `PlanKey-${name}`, {
        apiKeyName: `${names.prefix}-plan-${name}`,
        description: 'Stands for the callers of a usage plan; it opens nothing.',
        value: usagePlanKey(names.prefix, name),
      });
      plan.addApiKey(key);
    }
  }

  #domain({ settings }: Installation): void {
    const { domainName, certificateArn, hostedZoneId, hostedZoneName } = settings;
    if (domainName === undefined || certificateArn === undefined) return;
    const domain = new DomainName(this, 'Domain', {
      domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    domain.addBasePathMapping(this.keyApi.api, { stage: this.keyApi.api.deploymentStage });
    if (hostedZoneId === undefined || hostedZoneName === undefined) {
      new CfnOutput(this, 'DomainTarget', {
        value: domain.domainNameAliasDomainName,
        description: 'For a CNAME record',
      });
      return;
    }
    new ARecord(this, 'Record', {
      recordName: domainName,
      zone: HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: hostedZoneName }),
      target: RecordTarget.fromAlias(new ApiGatewayDomain(domain)),
    });
  }
}

/**
 * Requests that the usage plans let through within the firewall's five minutes. One address may be all there is: a backend with the
 * keys of every plan. So who stays within them is never refused by the firewall, which does not say why or for how long.
 */
function letThroughByPlans({ usagePlans }: Settings): number {
  const each = Object.values(usagePlans).map(({ rate, burst }) => rate * FIREWALL_SECONDS + burst);
  return Math.max(
    LEAST_REQUESTS_PER_ADDRESS,
    each.reduce((sum, requests) => sum + requests, 0),
  );
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '');
