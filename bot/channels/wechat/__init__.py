"""The WeChat Official Account channel: farmers write to the account, in safe mode only."""
