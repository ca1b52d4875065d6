"""What the agent asks: questions and approvals, from OpenClaw to the person and back."""
