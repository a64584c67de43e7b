"""The WeCom channel: commissioners talk to a smart robot (智能机器人) over one WebSocket."""
