"""What is watched: a dashboard of six sections, alarms, and a budget."""

from aws_cdk import CfnCondition, CfnParameter, Duration, Fn, aws_budgets, aws_cloudwatch, aws_iam, aws_sns
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from cdk.base import StageStack
from cdk.dashboard import MAIN, Charts, function_metric, own_metric

# Each number an alarm reads costs, ten are free: errors and calls of three functions, and four of our own.


class Monitoring(StageStack):
    """Alarms speak through one topic; the budget too, and by e-mail where an address is given."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "monitoring", "dashboard, alarms and budget")
        self._email = CfnParameter(self, "AlarmEmail", default="", description="Who is told; nobody when empty.")
        self._limit = CfnParameter(
            self,
            "MonthlyBudget",
            type="Number",
            default=10,
            min_value=1,
            description="US dollars a month for the whole account; told at 80 % spent and when 100 % is forecast.",
        )
        self._topic = self._alarm_topic()
        self._alarms()
        self._budget()
        charts = Charts(self)
        dashboard = aws_cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.named())
        for row in charts.sections():
            dashboard.add_widgets(*row)

    def _alarm_topic(self) -> aws_sns.Topic:
        topic = aws_sns.Topic(self, "Alarms", topic_name=self.named("-alarms"), enforce_ssl=True)
        topic.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal("budgets.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        given = CfnCondition(
            self,
            "HasEmail",
            expression=Fn.condition_not(Fn.condition_equals(self._email.value_as_string, "")),
        )
        subscription = aws_sns.CfnSubscription(
            self, "Email", topic_arn=topic.topic_arn, protocol="email", endpoint=self._email.value_as_string
        )
        subscription.cfn_options.condition = given
        return topic

    def _alarms(self) -> None:
        self._on("StartFailed", own_metric(self, "StartFailed"), 1, "A user's container could not be started.")
        self._on("Orphan", own_metric(self, "OrphanStopped"), 1, "A task ran that belonged to nobody; it was stopped.")
        self._on("DeadLetter", own_metric(self, "DeadLetter"), 1, "A message failed three times and was given up.")
        # Handlers answer what goes wrong in them, so Lambda counts no error: these they count themselves.
        failed = own_metric(self, "HandlerFailed", minutes=15)
        self._on(
            "HandlerFailed", failed, 2, "Twice or more within 15 minutes a handler met an error it could only answer."
        )
        errors = [function_metric(self, name, "Errors") for name in MAIN]
        calls = [function_metric(self, name, "Invocations") for name in MAIN]
        using = {f"e{i}": metric for i, metric in enumerate(errors)} | {f"c{i}": m for i, m in enumerate(calls)}
        # Without FILL there is no rate whenever one of the functions was not called.
        total, of = ("+".join(f"FILL({kind}{i},0)" for i in range(len(MAIN))) for kind in "ec")
        rate = aws_cloudwatch.MathExpression(
            expression=f"100*({total})/({of})", using_metrics=using, label="errors, %", period=Duration.minutes(15)
        )
        self._on("ErrorRate", rate, 5, "5 % or more of the calls to the main functions failed within 15 minutes.")

    def _on(self, name: str, metric: aws_cloudwatch.IMetric, threshold: float, why: str) -> None:
        alarm = aws_cloudwatch.Alarm(
            self,
            f"{name}Alarm",
            alarm_name=self.named(f"-{name}"),
            alarm_description=why,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _budget(self) -> None:
        kind = aws_budgets.CfnBudget
        subscriber = kind.SubscriberProperty(subscription_type="SNS", address=self._topic.topic_arn)

        def told(at: float, of: str) -> aws_budgets.CfnBudget.NotificationWithSubscribersProperty:
            when = kind.NotificationProperty(
                comparison_operator="GREATER_THAN", notification_type=of, threshold=at, threshold_type="PERCENTAGE"
            )
            return kind.NotificationWithSubscribersProperty(notification=when, subscribers=[subscriber])

        aws_budgets.CfnBudget(
            self,
            "Budget",
            budget=kind.BudgetDataProperty(
                budget_name=self.named("-monthly"),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=kind.SpendProperty(amount=self._limit.value_as_number, unit="USD"),
            ),
            notifications_with_subscribers=[told(80, "ACTUAL"), told(100, "FORECASTED")],
        )
