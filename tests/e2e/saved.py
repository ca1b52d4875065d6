"""Conversations with a past, written into the table as the Bridge writes them: talking takes minutes."""

from chalicelib.messages.conversations import answer_row, question_row
from chalicelib.messages.inbox import Message
from chalicelib.platform.models import ConversationItem
from local.stack import Stack
from tests.support.tables import dynamodb, table

START = 1_790_000_000_000


def save_turns(stack: Stack, user_id: str, conversation_id: str, count: int, apart: int = 60_000) -> None:
    """Questions `question 1`… with answers `answer 1`…, `apart` ms from each other."""
    rows: list[ConversationItem] = []
    for number in range(1, count + 1):
        at = START + number * apart
        message = Message(user_id, f"saved-{number:04d}", f"question {number}", conversation_id, at)
        rows += [question_row(message), answer_row(message, f"answer {number}", "final", at + 2_000)]
    client = dynamodb(stack)
    for row in rows:
        client.put_item(TableName=table("Conversations"), Item=row.to_dynamodb_dict())


def save_title(stack: Stack, user_id: str, conversation_id: str, title: str, at: int = START) -> None:
    """What the list of conversations shows."""
    item = {
        "userId": {"S": user_id},
        "itemKey": {"S": f"m#{conversation_id}"},
        "conversationId": {"S": conversation_id},
        "title": {"S": title},
        "preview": {"S": title},
        "updatedAt": {"N": str(at)},
    }
    dynamodb(stack).put_item(TableName=table("Conversations"), Item=item)
