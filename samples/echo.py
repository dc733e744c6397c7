def main(ctx, msg):
    """Sends each message on as it came."""
    ctx.send(msg)
