"""CloudWatch Logs Insights: the query language, read and executed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData_LogsInsights.html. Commands run one after the other, each on
the rows that the one before leaves: :mod:`.syntax` reads them, :mod:`.fields` finds fields in log events, :mod:`.expressions` computes,
:mod:`.execution` runs.
"""
