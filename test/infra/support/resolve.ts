import type { Synthesis, Template } from './synthesis.ts';

/** What pseudo parameters are in resolved text. */
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'region',
  'AWS::AccountId': 'account',
  'AWS::URLSuffix': 'amazonaws.com',
};

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** CloudFormation's own arithmetic, as far as these templates use it: `text` is what an account would see. */
export function createResolver(synthesis: Synthesis, stage: string) {
  function text(value: unknown, template: Template): string {
    if (typeof value === 'string') return value;
    if (Array.isArray(value)) return value.map((part) => text(part, template)).join();
    if (!isObject(value)) return String(value);
    if (typeof value.Ref === 'string') return PSEUDO[value.Ref] ?? nameOf(value.Ref, template);
    const sub = value['Fn::Sub'];
    if (typeof sub === 'string') return sub.replace(/\$\{([^}]+)\}/g, (_all, name: string) => PSEUDO[name] ?? name);
    const join = value['Fn::Join'];
    if (Array.isArray(join)) return (join[1] as unknown[]).map((part) => text(part, template)).join(String(join[0]));
    const attribute = value['Fn::GetAtt'];
    if (Array.isArray(attribute)) return attributeOf(String(attribute[0]), String(attribute[1]), template);
    const output = value['Fn::GetStackOutput'];
    if (isObject(output)) {
      const other = synthesis.stacks[String(output.StackName).replace(`trunkline-${stage}-`, '')];
      const found = other?.Outputs[String(output.OutputName)];
      if (other === undefined || found === undefined) throw new Error(`There is no output ${JSON.stringify(output)}`);
      return text(found.Value, other);
    }
    throw new Error(`Not resolved: ${JSON.stringify(value)}`);
  }

  function nameOf(id: string, template: Template): string {
    const properties = template.Resources[id]?.Properties ?? {};
    const { TableName, BucketName, QueueName, FunctionName, StageName } = properties;
    const name = TableName ?? BucketName ?? QueueName ?? FunctionName ?? StageName;
    return name === undefined ? id : text(name, template);
  }

  function attributeOf(id: string, attribute: string, template: Template): string {
    const name = nameOf(id, template);
    if (attribute !== 'Arn') return `${name}.${attribute}`;
    switch (template.Resources[id]?.Type) {
      case 'AWS::DynamoDB::Table':
        return `arn:aws:dynamodb:region:account:table/${name}`;
      case 'AWS::S3::Bucket':
        return `arn:aws:s3:::${name}`;
      case 'AWS::SQS::Queue':
        return `arn:aws:sqs:region:account:${name}`;
      case 'AWS::Lambda::Function':
        return `arn:aws:lambda:region:account:function:${name}`;
      case 'AWS::KMS::Key':
        return `arn:aws:kms:region:account:key/${id}`;
      default:
        return `arn:${id}`;
    }
  }

  return { text };
}
export type Resolver = ReturnType<typeof createResolver>;
