import type { ContentReader } from './content.ts';

/** What businesses send and what people answer to it: the readable text of buttons, lists, templates and the like. */
export const readBusiness: ContentReader = (message) => {
  const { buttonsMessage, listMessage, interactiveMessage, templateMessage } = message;
  if (buttonsMessage) {
    return { type: 'buttons', body: buttonsMessage.contentText ?? '', context: buttonsMessage.contextInfo };
  }
  if (listMessage) {
    return { type: 'list', body: listMessage.description ?? listMessage.title ?? '', context: listMessage.contextInfo };
  }
  if (interactiveMessage) {
    return { type: 'interactive', body: interactiveMessage.body?.text ?? '', context: interactiveMessage.contextInfo };
  }
  if (templateMessage) {
    const template = templateMessage.hydratedTemplate ?? templateMessage.hydratedFourRowTemplate;
    return { type: 'template', body: template?.hydratedContentText ?? '', context: templateMessage.contextInfo };
  }
  return readAnswer(message);
};

const readAnswer: ContentReader = (message) => {
  const { buttonsResponseMessage, listResponseMessage, templateButtonReplyMessage, interactiveResponseMessage } =
    message;
  if (buttonsResponseMessage) {
    return {
      type: 'buttons-response',
      body: buttonsResponseMessage.selectedDisplayText ?? '',
      context: buttonsResponseMessage.contextInfo,
    };
  }
  if (listResponseMessage) {
    return {
      type: 'list-response',
      body: listResponseMessage.title ?? '',
      context: listResponseMessage.contextInfo,
    };
  }
  if (interactiveResponseMessage) {
    return {
      type: 'interactive-response',
      body: interactiveResponseMessage.body?.text ?? '',
      context: interactiveResponseMessage.contextInfo,
    };
  }
  if (!templateButtonReplyMessage) return undefined;
  return {
    type: 'template-reply',
    body: templateButtonReplyMessage.selectedDisplayText ?? '',
    context: templateButtonReplyMessage.contextInfo,
  };
};
